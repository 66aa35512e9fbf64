#include "firewall/ports.hpp"

#include "admin/message.hpp"
#include "cli/firewall.hpp"
#include "cli/generation.hpp"
#include "config/load.hpp"
#include "config/units.hpp"
#include "firewall/experiment.hpp"
#include "firewall/kernel.hpp"
#include "telemetry/escape.hpp"

#include <pwd.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <optional>

namespace sallyport::cli {

namespace {

using nlohmann::json;

std::string user_name(uid_t uid) {
    const passwd* entry = getpwuid(uid);
    return entry == nullptr ? std::to_string(uid) : entry->pw_name;
}

json to_json(const firewall::Joined& joined) {
    const firewall::Listening& one = joined.listening;
    json out{{"protocol", to_string(one.transport)},
             {"address", one.address.ip.to_string()},
             {"port", one.address.port},
             {"pid", one.pid == 0 ? json(nullptr) : json(one.pid)},
             {"process", one.process.empty() ? json(nullptr) : json(one.process)},
             {"user", user_name(one.uid)},
             {"unit", one.unit.empty() ? json(nullptr) : json(one.unit)},
             {"sockets", one.sockets},
             {"policy", firewall::standing_names[static_cast<std::size_t>(joined.standing)]},
             {"rule", joined.rule != nullptr                            ? json(joined.rule->id)
                      : joined.standing == firewall::Standing::internal ? json("loopback")
                                                                        : json(nullptr)}};
    if (one.is_v6()) out["v6_only"] = one.v6_only;
    if (!one.device.empty()) out["device"] = one.device;
    return out;
}

std::string row(const json& one) {
    const auto text = [&](const char* key) {
        std::string out;
        telemetry::append_printable(out, one[key].is_string() ? one[key].get<std::string>() : "-");
        return out;
    };
    const std::string address =
        SocketAddress{*IpAddress::parse(text("address")), one["port"].get<std::uint16_t>()}.to_string();
    char line[512];
    std::snprintf(line, sizeof line, "%-5s %-40s %-16s %-12s %-24s %-8s %s\n", text("protocol").c_str(),
                  address.c_str(), text("process").c_str(), text("user").c_str(), text("unit").c_str(),
                  text("policy").c_str(), text("rule").c_str());
    return line;
}

// Without a [firewall], or without a file at all, there is no policy to hold anything against.
std::optional<firewall::Policy> policy_of(const Common& common) {
    const auto loaded = config::load(common.config_file, preset_names());
    if (!loaded.config && !loaded.files.empty())
        std::fprintf(stderr, "note: %s has errors, so there is no policy; see: sallyport check\n",
                     common.config_file.c_str());
    if (!loaded.config || loaded.config->firewall.place.line == 0) return std::nullopt;
    return firewall::derive(*loaded.config);
}

}  // namespace

Exit ports(const Common& common) {
    std::signal(SIGPIPE, SIG_IGN);
    const auto policy = policy_of(common);
    const auto listening = firewall::listening();
    if (!listening) return std::fprintf(stderr, "sallyport: %s\n", listening.error().message.c_str()), Exit::failed;
    const auto* held_against = policy ? &*policy : nullptr;
    const auto joined = firewall::join(*listening, held_against);
    const auto table = firewall::list_table();  // root's; others see no wanted ports
    const auto wanted = firewall::wanted_of(table && *table ? **table : "");
    const auto remarks = firewall::remarks(joined, held_against, wanted);
    json listeners = json::array();
    for (const auto& one : joined) listeners.push_back(to_json(one));
    json asked = json::array();
    for (const auto& one : wanted) {
        asked.push_back({{"client", one.client.to_string()},
                         {"protocol", to_string(one.transport)},
                         {"port", one.port},
                         {"tries", one.tries}});
    }
    if (common.json) {
        const json out{{"listeners", listeners}, {"wanted", asked}, {"remarks", remarks}};
        std::puts(admin::to_text(out).c_str());
    } else {
        for (const auto& one : listeners) std::fputs(row(one).c_str(), stdout);
        for (const auto& one : remarks) std::printf("%s\n", one.c_str());
        if (!table) std::fputs("note: only root sees which closed ports clients asked for\n", stderr);
    }
    return remarks.empty() ? Exit::done : Exit::answer_is_no;
}

Exit firewall_try_reset(const Common&, const FirewallOptions& options) {
    const auto lasts = config::parse_duration(options.try_for);
    if (!lasts || *lasts > std::chrono::hours(24)) {
        std::fprintf(stderr, "sallyport: --for takes a duration of at most 24h, such as 60s, not '%s'\n",
                     options.try_for.c_str());
        return Exit::usage;
    }
    std::signal(SIGPIPE, SIG_IGN);
    sigset_t ends{};
    sigemptyset(&ends);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&ends, signal);
    sigprocmask(SIG_BLOCK, &ends, nullptr);
    const auto experiment = firewall::Experiment::begin(options.try_port);
    if (!experiment) {
        std::fprintf(stderr, "sallyport: %s\n", experiment.error().message.c_str());
        return geteuid() == 0 ? Exit::failed : Exit::not_permitted;
    }
    std::printf("TCP port %u is refused by reset for %s; Ctrl-C ends it sooner\n", options.try_port,
                options.try_for.c_str());
    std::fflush(stdout);
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(*lasts);
    const timespec wait{.tv_sec = seconds.count(), .tv_nsec = (*lasts - seconds).count()};
    sigtimedwait(&ends, nullptr, &wait);
    return Exit::done;
}

}  // namespace sallyport::cli
