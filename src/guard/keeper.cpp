#include "guard/keeper.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace sallyport::guard {

namespace {

using std::chrono::milliseconds;

std::int64_t unix_ms(WallTime time) {
    return std::chrono::duration_cast<milliseconds>(time.time_since_epoch()).count();
}

// What is this far away may stand in a file; more can't be reckoned with in nanoseconds.
constexpr std::int64_t most_ms = std::int64_t{100} * 365 * 86'400'000;

template <std::size_t size>
std::optional<std::size_t> place_of(const std::array<std::string_view, size>& names, std::string_view name) {
    const auto* found = std::ranges::find(names, name);
    if (found == names.end()) return std::nullopt;
    return static_cast<std::size_t>(found - names.begin());
}

}  // namespace

std::optional<Entry> entry_of(const store::GuardRow& row, Clocks at) {
    const auto who = Network::parse(row.who);
    const auto verdict = place_of(verdict_names, row.verdict);
    const auto origin = place_of(origin_names, row.origin);
    if (!who || !verdict || !origin) return std::nullopt;
    Entry entry{.who = *who,
                .verdict = static_cast<Verdict>(*verdict),
                .origin = static_cast<Origin>(*origin),
                .since = at.now,
                .reason = row.reason.substr(0, Entry::max_reason),
                .count = static_cast<std::uint32_t>(std::clamp<std::int64_t>(row.count, 0, 1'000'000)),
                .node = row.node.substr(0, Entry::max_node)};
    if (const auto protocol = place_of(telemetry::protocol_names, row.protocol))
        entry.protocol = static_cast<telemetry::Protocol>(*protocol);
    const std::int64_t wall = unix_ms(at.wall);
    const std::int64_t age = wall - std::clamp(row.since_ms, std::int64_t{0}, most_ms);
    entry.since = at.now - milliseconds(std::clamp<std::int64_t>(age, 0, most_ms));
    if (row.expires_ms) {
        if (*row.expires_ms <= row.since_ms || row.since_ms < 0 || *row.expires_ms > most_ms) return std::nullopt;
        const std::int64_t left = std::min(*row.expires_ms - wall, *row.expires_ms - row.since_ms);
        if (left <= 0) return std::nullopt;
        entry.expires = at.now + milliseconds(left);
    }
    return entry;
}

store::GuardRow row_of(const Entry& entry, Clocks at) {
    const auto wall_of = [&at](SteadyTime time) {
        return unix_ms(at.wall + std::chrono::duration_cast<WallTime::duration>(time - at.now));
    };
    store::GuardRow row{.who = entry.who.to_string(),
                        .verdict = std::string(name(entry.verdict)),
                        .origin = std::string(name(entry.origin)),
                        .since_ms = wall_of(entry.since),
                        .reason = entry.reason,
                        .protocol = entry.protocol ? std::string(telemetry::name(*entry.protocol)) : "",
                        .count = entry.count,
                        .node = entry.node};
    if (entry.expires != Entry::never) row.expires_ms = wall_of(entry.expires);
    return row;
}

Result<std::vector<Entry>> Keeper::load(Clocks at) {
    const auto rows = entries_.load();
    if (!rows) return fail(rows.error());
    std::vector<Entry> out;
    for (const store::GuardRow& row : *rows) {
        if (auto entry = entry_of(row, at))
            out.push_back(std::move(*entry));
        else if (const auto who = Network::parse(row.who); who && who->to_string() == row.who)
            forget(*who);
    }
    return out;
}

void Keeper::note(const Change& change) {
    if (change.what == Change::What::added)
        put(change.entry.who, change.entry);
    else
        forget(change.entry.who);
}

void Keeper::put(const Network& who, std::optional<Entry> entry) {
    if (due_.size() >= most_ && !due_.contains(who)) due_.erase(due_.begin());
    due_.insert_or_assign(who, std::move(entry));
}

std::optional<std::string> Keeper::write(Clocks at) {
    if (due_.empty()) return std::nullopt;
    const auto end = std::next(due_.begin(), static_cast<std::ptrdiff_t>(std::min(due_.size(), edits_at_once)));
    std::vector<store::GuardEdit> edits;
    for (auto one = due_.begin(); one != end; ++one) {
        const auto& [who, entry] = *one;
        if (entry)
            edits.push_back({row_of(*entry, at)});
        else
            edits.push_back({{.who = who.to_string(), .verdict = {}, .origin = {}}, true});
    }
    const auto written = entries_.apply(edits);
    if (written) {
        due_.erase(due_.begin(), end);
        failing_ = false;
        return std::nullopt;
    }
    if (std::exchange(failing_, true)) return std::nullopt;
    return written.error().message;
}

std::optional<std::string> Keeper::write_all(Clocks at) {
    for (;;) {
        const auto trouble = write(at);
        if (failing_ || due_.empty()) return trouble;
    }
}

}  // namespace sallyport::guard
