// What the derivations of sections share.
#include "firewall/derive.hpp"

#include <optional>
#include <utility>

namespace sallyport::firewall {

void open_listener(Policy& policy, std::string_view id, const config::Located<config::ListenAddress>& listen,
                   std::vector<Transport> transports, std::string reason) {
    const SocketAddress& at = listen.value.address;
    if (at.ip.is_loopback()) return;
    Rule rule{.id = std::string(id),
              .stage = Stage::services,
              .reason = std::move(reason),
              .place = listen.place,
              .transports = std::move(transports),
              .ports = {{at.port, at.port}}};
    if (!listen.value.dual_stack) rule.to = {Network(at.ip, at.ip.is_unspecified() ? 0 : 128)};
    for (const Transport transport : rule.transports) {
        const auto own = at.ip.is_unspecified() ? std::nullopt : std::optional(at.ip);
        policy.mappings.push_back({.transport = transport,
                                   .ports = rule.ports.front(),
                                   .own = own,
                                   .v4 = listen.value.dual_stack || at.ip.is_v4(),
                                   .v6 = listen.value.dual_stack || !at.ip.is_v4(),
                                   .reason = rule.reason});
    }
    policy.rules.push_back(std::move(rule));
}

void open_ports(Policy& policy, std::string_view id, PortRange ports, std::vector<Transport> transports,
                const config::Place& place, std::string reason) {
    for (const Transport transport : transports)
        policy.mappings.push_back({.transport = transport, .ports = ports, .reason = reason});
    policy.rules.push_back({.id = std::string(id),
                            .stage = Stage::services,
                            .reason = std::move(reason),
                            .place = place,
                            .transports = std::move(transports),
                            .ports = {ports}});
}

void note_dialed(Policy& policy, std::string_view id, std::vector<Network> to, std::string name,
                 std::vector<PortRange> ports, std::vector<Transport> transports, const config::Place& place,
                 std::string reason) {
    policy.rules.push_back({.id = std::string(id),
                            .stage = Stage::services,
                            .hook = Hook::output,
                            .reason = std::move(reason),
                            .place = place,
                            .transports = std::move(transports),
                            .ports = std::move(ports),
                            .to = std::move(to),
                            .to_name = std::move(name)});
}

}  // namespace sallyport::firewall
