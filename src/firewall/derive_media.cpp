// The sections of media, names, push and egress.
#include "firewall/derive_media.hpp"

#include "config/dns_clients.hpp"

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

// A listener of [listen] for all addresses takes what is redirected to its port.
bool is_listened_on(const config::Config& config, std::uint16_t port) {
    return std::ranges::any_of(config::listen_kinds, [&](const config::ListenKind& kind) {
        return std::ranges::any_of(config.listen.*kind.addresses, [&](const auto& listen) {
            const SocketAddress& at = listen.value.address;
            return at.port == port && at.ip.is_unspecified();
        });
    });
}

void intercept_push(const config::Config& config, std::vector<Network> to, Policy& policy) {
    Interception out{.to = std::move(to),
                     .ports = {},
                     .id = "push.intercept",
                     .reason = "Apple Push, of devices that do not ask for names",
                     .place = config.push.place};
    for (const auto& port : config.push.ports) {
        if (!is_listened_on(config, port.value)) out.ports.push_back({port.value, port.value});
    }
    if (out.ports.empty()) return;
    policy.rules.push_back({.id = out.id,
                            .reason = out.reason,
                            .place = out.place,
                            .zone = policy.has_zones() ? Zone::inside : Zone::any,
                            .translated = true,
                            .transports = {Transport::tcp},
                            .ports = out.ports});
    policy.interception = std::move(out);
}

// The last address of a network.
IpAddress last_of(const Network& network) {
    auto bytes = network.address().bytes();
    for (unsigned bit = network.mapped_bits(); bit < 128; ++bit)
        bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] | (0x80U >> (bit % 8)));
    return IpAddress::v6(bytes);
}

// FNV-1a, which is the same on every gateway.
std::uint32_t seed_of(std::string_view text) {
    std::uint32_t hash = 0x811C9DC5;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x01000193;
    return hash;
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
        note_dialed(policy, "turn.peers", {}, "anywhere", {}, transports, turn.relay_ports.place,
                    "media that [turn] relays, sent from its relay_ports");
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
                  .from = config::dns_clients(config.dns)};
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
    auto apple = networks_of(push.allow_to);
    if (apple.empty()) apple = config::apple_networks();
    if (push.intercept) intercept_push(config, apple, policy);
    for (const auto& resolver : push.resolver)
        note_dialed(policy, "push.resolver", {Network(resolver.value, 128)}, "", {{53, 53}},
                    {Transport::tcp, Transport::udp}, resolver.place, "a name server that couriers are looked up with");
    for (const auto& proxy : push.via) {
        const auto ip = IpAddress::parse(proxy.value.host);
        note_dialed(policy, "push.via", ip ? std::vector{Network(*ip, 128)} : std::vector<Network>{},
                    ip ? "" : proxy.value.host, {{proxy.value.port, proxy.value.port}}, {Transport::tcp}, proxy.place,
                    "the proxy that Apple Push goes by");
    }
    if (!push.via.empty()) return;
    note_dialed(policy, "push.allow_to", std::move(apple), "", ports, {Transport::tcp}, push.place, "Apple Push");
}

// What is forwarded rather than dialed. Users and devices have rules once somebody knows behind which address they are.
void derive_egress(const config::Config& config, Policy& policy) {
    const auto& egress = config.egress;
    if (egress.radius) {
        const std::size_t mappings = policy.mappings.size();
        open_listener(policy, "egress.radius", *egress.radius, {Transport::udp},
                      "[egress] radius, from access servers");
        policy.mappings.resize(mappings);  // access servers are inside
    }
    if (!policy.has_zones()) return;
    for (const auto& pin : config.egress_pins) {
        if (pin.source && pin.client) policy.nat.pins.push_back({Network(pin.client->value, 128), pin.source->value});
        if (pin.source && pin.network) policy.nat.pins.push_back({pin.network->value, pin.source->value});
    }
    for (const auto& network : egress.pool)
        policy.nat.pool.push_back({network.value.address(), last_of(network.value)});
    policy.nat.follows_people = !egress.pool.empty() || !config.egress_pins.empty();
    policy.nat.seed = seed_of(egress.seed.value);
}

}  // namespace sallyport::firewall
