#include "cli/firewall.hpp"

#include "admin/message.hpp"
#include "cli/firewall_clients.hpp"
#include "cli/firewall_probe.hpp"
#include "cli/generation.hpp"
#include "cli/shapes.hpp"
#include "config/load.hpp"
#include "config/units.hpp"
#include "firewall/apply.hpp"
#include "firewall/foreign.hpp"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>

namespace sallyport::cli {

namespace {

using nlohmann::json;

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }
void complain(const std::string& text) { std::fprintf(stderr, "sallyport: %s\n", text.c_str()); }
void note(const std::string& text) { std::fprintf(stderr, "note: %s\n", text.c_str()); }

/// The configuration and what follows from it; or the exit status, once all errors were told.
struct Sources {
    config::Loaded loaded;
    firewall::Policy policy;
    const config::Config& config() const { return *loaded.config; }
};

std::optional<Sources> read(const Common& common, Exit& exit) {
    std::signal(SIGPIPE, SIG_IGN);  // a program that ends early ends no verb
    const auto presets = preset_names();
    auto loaded = config::load(common.config_file, presets);
    exit = Exit::invalid;
    if (common.json && !loaded.config) print(admin::to_text({{"errors", problems_json(loaded.errors)}}) + "\n");
    for (const auto& error : loaded.errors) std::fputs(to_text(error, "error").c_str(), stderr);
    if (!loaded.config) return std::nullopt;
    if (!has_firewall(common, *loaded.config)) return std::nullopt;
    auto policy = firewall::derive(*loaded.config);
    place_clients(*loaded.config, policy);
    return Sources{std::move(loaded), std::move(policy)};
}

Exit exit_of(const firewall::KernelError& error) {
    complain(error.message + (error.not_permitted ? "\nthis takes the rights of root" : ""));
    return error.not_permitted ? Exit::not_permitted : Exit::failed;
}

Exit exit_of(const firewall::Failure& failure) {
    using Why = firewall::Failure::Why;
    complain(failure.message);
    switch (failure.why) {
        case Why::not_permitted: return Exit::not_permitted;
        case Why::refused:
        case Why::nothing: return Exit::answer_is_no;
        case Why::failed:
        case Why::busy: break;
    }
    return Exit::failed;
}

std::optional<firewall::StateDir> open_state(const std::filesystem::path& path, Exit& exit) {
    auto state = firewall::StateDir::open(path);
    if (state) return std::move(*state);
    complain(state.error().message);
    exit = geteuid() == 0 ? Exit::failed : Exit::not_permitted;
    return std::nullopt;
}

// For what goes by the rules that were applied, whatever the file says by now: one that is in the midst of being edited
// must keep nobody from going back, nor a machine from having its firewall at the start.
// `only_where_wanted`: not where the file is good and has no [firewall].
template <class Act>
Exit go_by_applied(const Common& common, bool only_where_wanted, Act act) {
    std::signal(SIGPIPE, SIG_IGN);
    const auto loaded = config::load(common.config_file, preset_names());
    if (only_where_wanted && loaded.config && !has_firewall(common, *loaded.config)) return Exit::invalid;
    if (!loaded.config)
        note(common.config_file.string() +
             " has errors, which sallyport check tells; this goes by what was applied, in " +
             loaded.firewall_state.string());
    Exit exit = Exit::failed;
    const auto state = open_state(loaded.firewall_state, exit);
    return state ? act(*state) : exit;
}

json to_json(const firewall::Policy& policy) {
    json rules = json::array();
    for (const auto& rule : policy.rules) {
        json one{{"id", rule.id},
                 {"action", firewall::action_names[static_cast<std::size_t>(rule.action)]},
                 {"reason", rule.reason},
                 {"hook", rule.hook == firewall::Hook::input     ? "input"
                          : rule.hook == firewall::Hook::forward ? "forward"
                                                                 : "output"},
                 {"protocol", firewall::to_text(rule.transports)},
                 {"ports", firewall::to_text(rule.ports)}};
        if (rule.zone != firewall::Zone::any) one["zone"] = firewall::zone_names[static_cast<std::size_t>(rule.zone)];
        for (const auto& [key, networks] : {std::pair("from", &rule.from), std::pair("to", &rule.to)}) {
            json list = json::array();
            for (const auto& network : *networks) list.push_back(network.to_string());
            if (!list.empty()) one[key] = std::move(list);
        }
        if (!rule.to_name.empty()) one["to"] = json::array({rule.to_name});
        if (rule.place.line != 0) {
            one["file"] = rule.place.file;
            one["line"] = rule.place.line;
        }
        rules.push_back(std::move(one));
    }
    return {{"rules", std::move(rules)}, {"unplaced", policy.nat.unplaced}};
}

// What speaks against the policy on this machine: sentences for people.
Result<std::vector<std::string>, firewall::KernelError> objections(const Sources& sources) {
    std::vector<std::string> out;
    for (const auto& concern : firewall::concerns(sources.config(), sources.policy)) {
        const auto where =
            concern.place.line == 0 ? "" : concern.place.file + ':' + std::to_string(concern.place.line) + ": ";
        out.push_back(where + concern.message + "; " + concern.hint);
    }
    const auto ruleset = firewall::list_ruleset();
    if (!ruleset) return fail(ruleset.error());
    for (const auto& obstacle : firewall::obstacles(*ruleset, sources.policy)) out.push_back(to_text(obstacle));
    if (sources.policy.routes()) {
        std::ifstream switched("/proc/sys/net/ipv4/ip_forward");
        int on = 1;
        if (switched >> on && on == 0) out.emplace_back("the kernel forwards nothing: sysctl net.ipv4.ip_forward is 0");
    }
    if (const auto session = firewall::own_session()) {
        if (const auto why = firewall::cut_off(sources.policy, *session)) out.push_back(*why);
    }
    return out;
}

// A port that is open and that nobody serves is no fault of the rules, but it is what an admin asks about next.
void probe_listeners(const config::Config& config) {
    for (const auto& silent : silent_listeners(config))
        note("nobody answers on " + silent + ": is the gateway running?");
}

}  // namespace

bool has_firewall(const Common& common, const config::Config& config) {
    if (config.firewall.place.line != 0) return true;
    complain(common.config_file.string() + ": there is no [firewall], so there are no rules");
    return false;
}

Exit firewall_show(const Common& common, const FirewallOptions& options) {
    Exit exit = Exit::failed;
    const auto sources = read(common, exit);
    if (!sources) return exit;
    const firewall::Policy& policy = sources->policy;
    if (common.json) return print(admin::to_text(to_json(policy)) + "\n"), Exit::done;
    constexpr std::pair<std::string_view, std::string (*)(const firewall::Policy&)> formats[] = {
        {"nft", [](const auto& one) { return firewall::to_nft(one); }},
        {"iptables", [](const auto& one) { return firewall::to_iptables(one, false); }},
        {"ip6tables", [](const auto& one) { return firewall::to_iptables(one, true); }},
        {"request", firewall::to_request},
        {"portmap", firewall::to_portmap},
    };
    for (const auto& [name, render] : formats) {
        if (name == options.format) print(render(policy));
    }
    return Exit::done;
}

Exit firewall_diff(const Common& common) {
    Exit exit = Exit::failed;
    const auto sources = read(common, exit);
    if (!sources) return exit;
    const auto loaded = firewall::list_table_still();
    if (!loaded) return exit_of(loaded.error());
    const auto wanted = firewall::rehearse(firewall::to_nft(sources->policy));
    if (!wanted) return exit_of(wanted.error());
    const std::string difference = firewall::difference(*loaded, *wanted);
    if (common.json)
        print(admin::to_text(
                  {{"loaded", loaded->has_value()}, {"drift", !difference.empty()}, {"difference", difference}}) +
              "\n");
    else if (!*loaded)
        print("no table of ours is loaded\n");
    else
        print(difference.empty() ? "what is loaded is what the configuration says\n" : difference);
    return difference.empty() ? Exit::done : Exit::answer_is_no;
}

Exit firewall_check(const Common& common) {
    Exit exit = Exit::failed;
    const auto sources = read(common, exit);
    if (!sources) return exit;
    if (const auto rehearsed = firewall::rehearse(firewall::to_nft(sources->policy)); !rehearsed)
        return exit_of(rehearsed.error());
    const auto against = objections(*sources);
    if (!against) return exit_of(against.error());
    if (common.json) {
        print(admin::to_text({{"objections", *against}}) + "\n");
    } else {
        for (const auto& one : *against) std::fprintf(stderr, "warning: %s\n", one.c_str());
        if (against->empty()) print("the kernel takes the rules, and nothing speaks against them\n");
    }
    return against->empty() ? Exit::done : Exit::answer_is_no;
}

Exit firewall_apply(const Common& common, const FirewallOptions& options) {
    const auto within = config::parse_duration(options.confirm);
    if (!within || *within > std::chrono::hours(24) || *within == Duration::zero())
        return complain("--confirm takes a duration of at most 24h, such as 60s, not '" + options.confirm +
                        "'; --now is for good at once"),
               Exit::usage;
    Exit exit = Exit::failed;
    const auto sources = read(common, exit);
    if (!sources) return exit;
    const auto state = open_state(sources->config().firewall.state_dir.value, exit);
    if (!state) return exit;
    if (const auto against = objections(*sources)) {
        for (const auto& one : *against) std::fprintf(stderr, "warning: %s\n", one.c_str());
    }
    const auto applied = firewall::apply(sources->policy, *state,
                                         {.confirm_within = options.now ? Duration::zero() : *within,
                                          .session = firewall::own_session(),
                                          .even_if_cut_off = options.even_if_cut_off});
    if (!applied) return exit_of(applied.error());
    if (applied->recovered) note("a change that nobody kept any more was undone first");
    if (common.json)
        print(admin::to_text({{"applied", true},
                              {"confirm_until", applied->until.empty() ? json(nullptr) : json(applied->until)}}) +
              "\n");
    else if (applied->until.empty())
        print("applied\n");
    else
        print("applied until " + applied->until + ": from a new connection, say sallyport firewall confirm\n");
    probe_listeners(sources->config());
    return Exit::done;
}

Exit firewall_confirm(const Common& common, const FirewallOptions& options) {
    return go_by_applied(common, false, [&](const firewall::StateDir& state) {
        const auto confirmed = firewall::confirm(state, firewall::own_session(), options.same_connection);
        if (!confirmed) return exit_of(confirmed.error());
        return print("confirmed: these rules stay, also after a reboot\n"), Exit::done;
    });
}

Exit firewall_rollback(const Common& common) {
    return go_by_applied(common, false, [](const firewall::StateDir& state) {
        const auto back = firewall::roll_back(state);
        if (!back) return exit_of(back.error());
        return print("what was there before is back\n"), Exit::done;
    });
}

Exit firewall_remove(const Common& common) {
    return go_by_applied(common, false, [](const firewall::StateDir& state) {
        const auto removed = firewall::remove(state);
        if (!removed) return exit_of(removed.error());
        return print("our table is gone; others were not touched\n"), Exit::done;
    });
}

Exit firewall_boot(const Common& common) {
    return go_by_applied(common, true, [](const firewall::StateDir& state) {
        const auto booted = firewall::boot(state);
        if (!booted) return exit_of(booted.error());
        if (booted->recovered) note("a change that was never confirmed was undone");
        if (!booted->refused.empty())
            return complain(booted->refused + "\nthe rules that were confirmed before these are loaded instead"),
                   Exit::failed;
        return print(booted->loaded ? "the confirmed rules are loaded\n" : "nothing to load\n"), Exit::done;
    });
}

}  // namespace sallyport::cli
