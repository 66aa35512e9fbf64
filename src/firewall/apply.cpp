#include "firewall/apply.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <sstream>

namespace sallyport::firewall {

namespace {

using Why = Failure::Why;

auto failed(Why why, std::string message) { return std::unexpected(Failure{why, std::move(message)}); }
auto failed(const KernelError& error) {
    return failed(error.not_permitted ? Why::not_permitted : Why::failed, error.message);
}
auto failed(const Error& error) { return failed(Why::failed, error.message); }

Outcome<io::Fd> lock_for_change(const StateDir& state) {
    auto held = state.try_lock(file::lock);
    if (!held) return failed(held.error());
    if (!*held) return failed(Why::busy, "somebody else is changing the firewall at this moment");
    return std::move(**held);
}

Outcome<std::optional<Pending>> pending_change(const StateDir& state) {
    const auto text = state.read(file::pending);
    if (!text) return failed(text.error());
    if (!*text) return std::nullopt;
    return Pending::parse(**text).value_or(Pending{});
}

// What waits for a confirmation is nobody's to overwrite; what nobody keeps any more is undone.
Outcome<bool> settle(const StateDir& state) {
    const auto recovered = recover(state);
    if (!recovered) return failed(recovered.error());
    const auto pending = pending_change(state);
    if (!pending) return std::unexpected(pending.error());
    if (*pending) {
        return failed(Why::busy, "a change waits until " + (*pending)->until +
                                     " to be confirmed: sallyport firewall confirm, or rollback");
    }
    return *recovered;
}

Outcome<void> make_permanent(const StateDir& state, std::string_view from) {
    const auto confirmed = state.read(file::confirmed);
    if (!confirmed) return failed(confirmed.error());
    if (*confirmed) {
        if (auto kept = state.write(file::previous, **confirmed); !kept) return failed(kept.error());
    }
    if (auto renamed = state.rename(from, file::confirmed); !renamed) return failed(renamed.error());
    return {};
}

// All that is needed to go back is on the disk, and somebody watches, before anything changes.
Outcome<std::string> prepare_return(const StateDir& state, const io::Fd& held, const ApplyOptions& options) {
    const auto now = std::chrono::system_clock::now();
    const Pending pending{
        .until = to_rfc3339(std::chrono::time_point_cast<Duration>(now) + options.confirm_within),
        .session = options.session ? options.session->text : "",
    };
    auto alive = state.try_lock(file::keeper);
    if (!alive) return failed(alive.error());
    if (!*alive) return failed(Why::busy, "the keeper of a former change is just ending; try again");
    if (auto noted = state.write(file::pending, pending.to_text()); !noted) return failed(noted.error());
    if (auto kept = start_keeper(state, std::move(**alive), held, options.confirm_within); !kept) {
        state.remove(file::pending);
        return failed(kept.error());
    }
    return pending.until;
}

// Lines that one side has more often than the other, in their order.
std::string surplus(const std::vector<std::string>& lines, std::map<std::string, int> others, char mark) {
    std::string out;
    for (const auto& line : lines) {
        if (--others[line] < 0) out += mark + line + '\n';
    }
    return out;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::istringstream in(text);
    std::vector<std::string> out;
    for (std::string line; std::getline(in, line);) {
        if (!line.empty()) out.push_back(line);
    }
    return out;
}

std::map<std::string, int> counted(const std::vector<std::string>& lines) {
    std::map<std::string, int> out;
    for (const auto& line : lines) ++out[line];
    return out;
}

}  // namespace

Outcome<Applied> apply(const Policy& policy, const StateDir& state, const ApplyOptions& options) {
    const auto held = lock_for_change(state);
    if (!held) return std::unexpected(held.error());
    const auto recovered = settle(state);
    if (!recovered) return std::unexpected(recovered.error());
    if (options.session && !options.even_if_cut_off) {
        if (auto why = cut_off(policy, *options.session)) return failed(Why::refused, std::move(*why));
    }
    const auto before = list_table();
    if (!before) return failed(before.error());
    const std::string text = to_nft(policy, counts_of(before->value_or("")));
    if (const auto rehearsed = rehearse(text); !rehearsed) return failed(rehearsed.error());

    Applied applied{.recovered = *recovered, .until = {}};
    if (auto kept = state.write(file::snapshot, restoring(*before)); !kept) return failed(kept.error());
    if (auto kept = state.write(file::wanted, text); !kept) return failed(kept.error());
    if (options.confirm_within > Duration::zero()) {
        auto until = prepare_return(state, *held, options);
        if (!until) return std::unexpected(until.error());
        applied.until = std::move(*until);
    }
    if (const auto loaded = load(text); !loaded) {
        state.remove(file::pending);  // nothing was changed, so there is nothing to undo
        return failed(loaded.error());
    }
    if (!applied.until.empty()) return applied;
    if (auto permanent = make_permanent(state, file::wanted); !permanent) {
        // What a reboot would not load again should not be loaded either.
        if (const auto back = load(restoring(*before)); !back) permanent.error().message += "; " + back.error().message;
        return std::unexpected(permanent.error());
    }
    return applied;
}

Outcome<void> confirm(const StateDir& state, const std::optional<Session>& session, bool from_the_same) {
    const auto held = lock_for_change(state);
    if (!held) return std::unexpected(held.error());
    if (const auto recovered = recover(state); !recovered)
        return failed(recovered.error());
    else if (*recovered)
        return failed(Why::nothing, "the change was undone already: whoever kept the old rules was gone");
    const auto pending = pending_change(state);
    if (!pending) return std::unexpected(pending.error());
    if (!*pending) return failed(Why::nothing, "no change waits to be confirmed");
    if (session && !from_the_same && session->text == (*pending)->session) {
        return failed(Why::refused,
                      "this is the connection that the change was made from, and it proves nothing: confirm from a new "
                      "one, or say --same-connection");
    }
    if (auto permanent = make_permanent(state, file::wanted); !permanent) return permanent;
    state.remove(file::pending);
    return {};
}

Outcome<void> roll_back(const StateDir& state) {
    const auto held = lock_for_change(state);
    if (!held) return std::unexpected(held.error());
    const auto pending = pending_change(state);
    if (!pending) return std::unexpected(pending.error());
    if (*pending) {
        if (const auto restored = restore_snapshot(state); !restored) return failed(restored.error());
        return {};
    }
    const auto previous = state.read(file::previous);
    if (!previous) return failed(previous.error());
    if (!*previous)
        return failed(Why::nothing, "there is nothing to go back to: no change is pending, and none before it");
    if (const auto loaded = load(**previous); !loaded) return failed(loaded.error());
    if (auto kept = state.write(file::wanted, **previous); !kept) return failed(kept.error());
    return make_permanent(state, file::wanted);
}

Outcome<void> remove(const StateDir& state) {
    const auto held = lock_for_change(state);
    if (!held) return std::unexpected(held.error());
    const auto present = list_table();
    if (!present) return failed(present.error());
    const auto confirmed = state.read(file::confirmed);
    if (!confirmed) return failed(confirmed.error());
    if (!*present && !*confirmed) return failed(Why::nothing, "there is no firewall of ours to remove");
    if (const auto gone = load(restoring(std::nullopt)); !gone) return failed(gone.error());
    state.remove(file::pending);
    if (!*confirmed) return {};
    if (auto kept = state.rename(file::confirmed, file::previous); !kept) return failed(kept.error());
    return {};
}

Outcome<Booted> boot(const StateDir& state) {
    const auto held = state.lock(file::lock);
    if (!held) return failed(held.error());
    const auto recovered = recover(state);
    const auto present = list_table();
    if (!present) return failed(present.error());
    const auto confirmed = state.read(file::confirmed);
    if (!confirmed) return failed(confirmed.error());
    if (!recovered && (*present || !*confirmed)) return failed(recovered.error());
    Booted booted{.recovered = recovered.value_or(false), .loaded = !*present && *confirmed, .refused = {}};
    if (!booted.loaded) return booted;
    if (!recovered) {  // what was there before the change can't be put back, and what was confirmed may
        booted.refused = recovered.error().message;
        state.remove(file::pending);
    }
    const auto loaded = load(**confirmed);
    if (loaded) return booted;
    const auto previous = state.read(file::previous);
    if (!previous || !*previous || !load(**previous)) return failed(loaded.error());
    booted.refused = loaded.error().message;
    return booted;
}

std::string difference(const std::optional<std::string>& loaded, const std::string& wanted) {
    const auto there = lines_of(loaded.value_or(""));
    const auto here = lines_of(wanted);
    if (there == here) return "";
    const std::string out = surplus(there, counted(here), '-') + surplus(here, counted(there), '+');
    return out.empty() ? "the same lines in another order\n" : out;
}

}  // namespace sallyport::firewall
