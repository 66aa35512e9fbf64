#include "config/firewall_checks.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

namespace sallyport::config {

namespace {

std::string where(const Place& place) { return place.file + ':' + std::to_string(place.line); }

void check_zones(const Firewall& firewall, Findings& findings) {
    for (const auto& inside : firewall.inside) {
        const auto both = std::ranges::find(firewall.outside, inside);
        if (both != firewall.outside.end())
            findings.error(both->place, {"outside: " + quote(inside.value.name) + " is inside as well",
                                         "at " + where(inside.place)});
    }
    if (firewall.inside.empty() != firewall.outside.empty()) {
        const bool inside = !firewall.inside.empty();
        findings.error(inside ? firewall.inside.front().place : firewall.outside.front().place,
                       {std::string("there is ") + (inside ? "inside but no outside" : "outside but no inside"),
                        "a machine with one side needs neither"});
    }
    if (!firewall.presets.empty() && firewall.inside.empty()) {
        findings.error(firewall.presets.front().place,
                       {"presets: nobody is inside who could reach anything", "write inside and outside"});
    }
}

// TCP ports that [listen] and [admin] serve on other addresses than loopback, and who does.
std::map<std::uint16_t, std::string_view> served_ports(const Config& config) {
    std::map<std::uint16_t, std::string_view> served;
    const auto add = [&](const Located<ListenAddress>& listen, std::string_view who) {
        if (!listen.value.address.ip.is_loopback()) served.emplace(listen.value.address.port, who);
    };
    for (const ListenKind& kind : listen_kinds) {
        for (const auto& address : config.listen.*kind.addresses) add(address, kind.key);
    }
    for (const auto& address : config.admin.listen) add(address, "[admin] listen");
    return served;
}

void check_fast_fail(const Config& config, Findings& findings) {
    const auto served = served_ports(config);
    for (const auto& port : config.firewall.fast_fail) {
        if (const auto at = served.find(port.value); at != served.end()) {
            findings.warning(port.place, {"fast_fail: port " + std::to_string(port.value) + " is served by " +
                                              std::string(at->second),
                                          "it is refused only to those whom the service does not reach"});
        }
    }
}

void check_forwards(const Config& config, Findings& findings) {
    const auto served = served_ports(config);
    std::map<std::pair<Transport, std::uint16_t>, Place> taken;
    for (const auto& forward : config.firewall_forwards) {
        if (!forward.port) continue;  // unreadable, and said so
        for (const auto& protocol : forward.protocols) {
            const bool tcp = protocol.value == Transport::tcp;
            if (const auto at = served.find(*forward.port); tcp && at != served.end()) {
                findings.error(forward.place,
                               {"port: " + std::to_string(*forward.port) + " is served by " + std::string(at->second),
                                "a port has one use"});
            }
            const auto [first, fresh] = taken.try_emplace({protocol.value, *forward.port}, forward.place);
            if (!fresh) {
                findings.error(forward.place, {"port: " + std::string(to_string(protocol.value)) + ' ' +
                                                   std::to_string(*forward.port) + " is forwarded twice",
                                               "first at " + where(first->second)});
            }
        }
    }
}

}  // namespace

void check_firewall(const Config& config, Findings& findings) {
    check_zones(config.firewall, findings);
    check_fast_fail(config, findings);
    check_forwards(config, findings);
}

}  // namespace sallyport::config
