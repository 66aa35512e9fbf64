#include "turn/peer_policy.hpp"

#include <array>
#include <cstddef>
#include <string_view>

namespace sallyport::turn {

namespace {

struct BuiltIn {
    std::string_view network;
    std::string_view what;
};

// The special-purpose registries of IANA (RFC 6890), as far as no packet of a call belongs there.
constexpr std::array built_in{
    BuiltIn{"10.0.0.0/8", "private"},
    BuiltIn{"100.64.0.0/10", "carrier-grade NAT"},
    BuiltIn{"127.0.0.0/8", "loopback"},
    BuiltIn{"169.254.0.0/16", "link-local, and the metadata of clouds"},
    BuiltIn{"172.16.0.0/12", "private"},
    BuiltIn{"192.0.0.0/24", "protocol assignments"},
    BuiltIn{"192.0.2.0/24", "documentation"},
    BuiltIn{"192.88.99.0/24", "6to4 relays"},
    BuiltIn{"192.168.0.0/16", "private"},
    BuiltIn{"198.18.0.0/15", "benchmarks"},
    BuiltIn{"198.51.100.0/24", "documentation"},
    BuiltIn{"203.0.113.0/24", "documentation"},
    BuiltIn{"::1/128", "loopback"},
    BuiltIn{"::/96", "IPv4-compatible"},
    BuiltIn{"64:ff9b:1::/48", "local NAT64"},
    BuiltIn{"100::/64", "discard"},
    BuiltIn{"2001::/32", "Teredo"},
    BuiltIn{"2001:2::/48", "benchmarks"},
    BuiltIn{"2001:db8::/32", "documentation"},
    BuiltIn{"2002::/16", "6to4"},
    BuiltIn{"fc00::/7", "unique local"},
    BuiltIn{"fe80::/10", "link-local"},
    BuiltIn{"fec0::/10", "site-local"},
};
// These no exception opens: they are nobody's address.
constexpr std::array never{
    BuiltIn{"0.0.0.0/8", "this host"}, BuiltIn{"224.0.0.0/4", "multicast"}, BuiltIn{"240.0.0.0/4", "reserved"},
    BuiltIn{"::/128", "unspecified"},  BuiltIn{"ff00::/8", "multicast"},
};

struct Hiding {
    std::string_view network;
    std::size_t at;  // where the four bytes of IPv4 begin
    bool inverted = false;
};
constexpr std::array hidings{
    Hiding{"64:ff9b::/96", 12}, Hiding{"64:ff9b:1::/48", 12},  Hiding{"::ffff:0:0:0/96", 12},
    Hiding{"2002::/16", 2},     Hiding{"2001::/32", 12, true}, Hiding{"::/96", 12},
};

struct HidingNetwork {
    Network network;
    const Hiding* how;
};
const auto& hiding_networks() {
    static const auto made = [] {
        std::array<HidingNetwork, hidings.size()> out;
        for (std::size_t i = 0; i < hidings.size(); ++i) out[i] = {*Network::parse(hidings[i].network), &hidings[i]};
        return out;
    }();
    return made;
}

const std::string own_rule = "an address of this node";

std::string built_in_text(const BuiltIn& rule) {
    return "built-in " + std::string(rule.network) + " (" + std::string(rule.what) + ")";
}

}  // namespace

IpAddress canonical(const IpAddress& address) {
    if (address.is_v4() || address.is_unspecified() || address.is_loopback()) return address;
    for (const auto& [network, how] : hiding_networks()) {
        if (!network.contains(address)) continue;
        std::uint32_t inner = 0;
        for (std::size_t i = 0; i < 4; ++i) inner = inner << 8 | address.bytes()[how->at + i];
        return IpAddress::v4(how->inverted ? ~inner : inner);
    }
    return address;
}

PeerPolicy::PeerPolicy(std::span<const Network> deny, std::span<const Network> allow, std::span<const IpAddress> own) {
    for (const BuiltIn& rule : never) never_.add(*Network::parse(rule.network), {Verdict::denied, built_in_text(rule)});
    // Of rules on the same network the first one added holds.
    for (const Network& network : deny) rules_.add(network, {Verdict::denied, "peer_deny " + network.to_string()});
    for (const Network& network : allow)
        rules_.add(network, {Verdict::allowed, "peer_allow " + network.to_string(), network.mapped_bits() == 128});
    for (const BuiltIn& rule : built_in)
        rules_.add(*Network::parse(rule.network), {Verdict::denied, built_in_text(rule)});
    for (const IpAddress& address : own) {
        own_.add(Network(address, 128));
        // Loopback is denied as such; who opens it for a test means what listens there.
        if (!address.is_loopback()) rules_.add(Network(address, 128), {Verdict::denied, own_rule});
    }
}

PeerPolicy::Ruling PeerPolicy::rule_on(const IpAddress& peer, bool is_own) const {
    const bool is_known = own_.contains(peer);
    for (const IpAddress& address : std::array{peer, canonical(peer)}) {
        if (const Rule* rule = never_.find(address)) return {Verdict::denied, &rule->text};
        const Rule* rule = rules_.find(address);
        if (rule != nullptr && rule->verdict == Verdict::denied)
            return {is_known || is_own ? Verdict::relays_only : Verdict::denied, &rule->text};
        // As if there were the rule on it that the constructor makes.
        const bool is_excepted = address.is_loopback() || (rule != nullptr && rule->is_exact);
        if (is_own && !is_known && !is_excepted) return {Verdict::relays_only, &own_rule};
    }
    return {Verdict::allowed, nullptr};
}

}  // namespace sallyport::turn
