// The sections of media, names, push and egress.
#include "firewall/derive_media.hpp"

#include <algorithm>
#include <string>

namespace sallyport::firewall {

namespace {

std::vector<Network> networks_of(const std::vector<config::Located<Network>>& located) {
    std::vector<Network> out;
    for (const auto& one : located) out.push_back(one.value);
    return out;
}

void note_name_server(Policy& policy, const config::Located<config::DnsUpstream>& upstream) {
    const auto& [address, tls, name] = upstream.value;
    note_dialed(policy, "dns.upstream", {Network(address.ip, 128)}, "", {{address.port, address.port}},
                tls ? std::vector{Transport::tcp} : std::vector{Transport::tcp, Transport::udp}, upstream.place,
                "a name server that questions are passed on to");
}

// The last address of a network.
IpAddress last_of(const Network& network) {
    auto bytes = network.address().bytes();
    for (unsigned bit = network.mapped_bits(); bit < 128; ++bit)
        bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] | (0x80U >> (bit % 8)));
    return IpAddress::v6(bytes);
}

} // namespace

void derive_stun(const config::Config& config, Policy& policy) {
    for (const auto& listen : config.stun.listen)
        open_listener(policy, "stun.listen", listen, {Transport::udp}, "[stun]: tells clients their public address");
    for (const auto& pair : config::discovery_pairs(config.stun)) {
        for (const SocketAddress& own : pair) {
            const config::Located<config::ListenAddress> listen{{{own.ip, *config.stun.alternate_port}},
                                                                config.stun.listen.front().place};
            open_listener(policy, "stun.alternate_port", listen, {Transport::udp}, "[stun]: how a NAT behaves");
        }
    }
}

void derive_turn(const config::Config& config, Policy& policy) {
    struct Kind {
        std::string_view key;
        Transport transport;
        const config::Turn::Addresses* addresses;
    };
    const config::Turn& turn = config.turn;
    const Kind kinds[] = {{"udp", Transport::udp, &turn.udp},
                          {"tcp", Transport::tcp, &turn.tcp},
                          {"tls", Transport::tcp, &turn.tls},
                          {"dtls", Transport::udp, &turn.dtls}};
    bool relays = config.mux_takes_turn();
    for (const auto& [key, transport, addresses] : kinds) {
        for (const auto& listen : *addresses) {
            open_listener(policy, "turn." + std::string(key), listen, {transport}, "[turn] " + std::string(key));
            relays = true;
        }
    }
    if (relays) {
        const auto transports =
            turn.tcp_relays.value ? std::vector{Transport::udp, Transport::tcp} : std::vector{Transport::udp};
        open_ports(policy, "turn.relay_ports", turn.relay_ports.value, transports, turn.relay_ports.place,
                   "media that [turn] relays");
    }
}

// Open to those alone whom it answers, and nothing for an outer router: names
// are for clients of our own.
void derive_dns(const config::Config& config, Policy& policy) {
    for (const auto& listen : config.dns.listen) {
        const SocketAddress& at = listen.value.address;
        if (at.ip.is_loopback()) continue;
        Rule rule{.id = "dns.listen",
                  .reason = "[dns], for its clients",
                  .place = listen.place,
                  .transports = {Transport::tcp, Transport::udp},
                  .ports = {{at.port, at.port}},
                  .from = networks_of(config.dns.clients)};
        if (!listen.value.dual_stack) rule.to = {Network(at.ip, at.ip.is_unspecified() ? 0 : 128)};
        policy.rules.push_back(std::move(rule));
    }
    for (const auto& upstream : config.dns.upstream) note_name_server(policy, upstream);
    for (const auto& view : config.dns_views) {
        for (const auto& upstream : view.upstream) note_name_server(policy, upstream);
    }
    for (const auto& forward : config.dns_forwards) {
        for (const auto& upstream : forward.upstream) note_name_server(policy, upstream);
    }
}

void derive_push(const config::Config& config, Policy& policy) {
    const config::Push& push = config.push;
    if (!push.serves()) return;
    std::vector<PortRange> ports;
    for (const auto& port : push.ports) ports.push_back({port.value, port.value});
    if (!push.vip.empty()) {
        policy.rules.push_back({.id = "push.vip",
                                .reason = "Apple Push for isolated devices",
                                .place = push.vip.front().place,
                                .transports = {Transport::tcp},
                                .ports = ports,
                                .to = networks_of(push.vip)});
    }
    for (const auto& proxy : push.via) {
        const auto ip = IpAddress::parse(proxy.value.host);
        note_dialed(policy, "push.via", ip ? std::vector{Network(*ip, 128)} : std::vector<Network>{},
                    ip ? "" : proxy.value.host, {{proxy.value.port, proxy.value.port}}, {Transport::tcp}, proxy.place,
                    "the proxy that Apple Push goes by");
    }
    if (!push.via.empty()) return;
    auto to = networks_of(push.allow_to);
    if (to.empty()) to = config::apple_networks();
    note_dialed(policy, "push.allow_to", std::move(to), "", ports, {Transport::tcp}, push.place, "Apple Push");
}

// What is forwarded rather than dialed. Users and devices that only RADIUS or a
// lease can place have no rule here.
void derive_egress(const config::Config& config, Policy& policy) {
    const auto& egress = config.egress;
    if (egress.radius) {
        const std::size_t mappings = policy.mappings.size();
        open_listener(policy, "egress.radius", *egress.radius, {Transport::udp},
                      "[egress] radius, from access servers");
        policy.mappings.resize(mappings); // access servers are inside
    }
    if (!policy.has_zones()) return;
    for (const auto& pin : config.egress_pins) {
        if (pin.source && pin.client) policy.nat.pins.push_back({Network(pin.client->value, 128), pin.source->value});
        if (pin.source && pin.network) policy.nat.pins.push_back({pin.network->value, pin.source->value});
    }
    for (const auto& network : egress.pool) { // of each family the first: `persistent` knows one range
        const bool v4 = network.value.address().is_v4();
        if (std::ranges::none_of(policy.nat.pool, [&](const auto& one) { return one.first.is_v4() == v4; }))
            policy.nat.pool.push_back({network.value.address(), last_of(network.value)});
    }
}

} // namespace sallyport::firewall
