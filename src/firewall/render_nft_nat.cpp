// Addresses that are translated, for nft: what comes to this node and is sent on, and by which address clients inside
// are seen outside.
#include "firewall/families.hpp"
#include "firewall/nft_text.hpp"
#include "firewall/render.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>

namespace sallyport::firewall {

namespace {

// What clients inside send to these networks comes to the same port of this node.
void write_interception(NftText& text, const Policy& policy) {
    if (!policy.interception) return;
    const Interception& interception = *policy.interception;
    for (const Family family : {Family::v4, Family::v6}) {
        const auto networks = of_family(interception.to, family);
        if (networks.empty()) continue;
        text.line(words_of_zone(policy, Zone::inside, "iifname") + (family == Family::v4 ? "ip" : "ip6") + " daddr " +
                  set_of(networks, network_text) + " tcp dport " +
                  set_of(interception.ports, [](const auto& one) { return to_text(one); }) + " counter name \"sent." +
                  interception.id + "\" redirect comment \"" + comment_of(interception.reason) + '"');
    }
}

// A client's pin is that of the longest network that holds it, and intervals of one map may not overlap: so there is a
// map for each length, asked from the longest to the shortest.
using PinsByLength = std::map<unsigned, std::vector<SourceNat::Pin>, std::greater<>>;

PinsByLength pins_of(const SourceNat& nat, Family family) {
    PinsByLength out;
    for (const auto& pin : nat.pins) {
        if (pin.client.address().is_v4() == (family == Family::v4)) out[pin.client.bits()].push_back(pin);
    }
    return out;
}

std::string map_name(Family family, unsigned length) {
    return std::string(family == Family::v4 ? "pins4_" : "pins6_") + std::to_string(length);
}

std::string clients_name(Family family) { return std::string(placed_clients) + (family == Family::v4 ? "4" : "6"); }

void write_map(NftText& text, const std::string& name, Family family, std::string_view flags,
               const std::vector<SourceNat::Pin>& pins) {
    const std::string type = family == Family::v4 ? "ipv4_addr" : "ipv6_addr";
    text.open("map " + name);
    text.line("type " + type + " : " + type);
    if (!flags.empty()) text.line(flags);
    const auto element = [](const auto& pin) { return network_text(pin.client) + " : " + pin.source.to_string(); };
    if (!pins.empty()) text.line("elements = { " + list_of(pins, element) + " }");
    text.close();
}

std::vector<SourceNat::Range> pool_of(const SourceNat& nat, Family family) {
    std::vector<SourceNat::Range> out;
    std::ranges::copy_if(nat.pool, std::back_inserter(out),
                         [&](const auto& range) { return range.first.is_v4() == (family == Family::v4); });
    return out;
}

std::string pool_name(Family family, std::size_t index) {
    return std::string(family == Family::v4 ? "pool4_" : "pool6_") + std::to_string(index + 1);
}

// A range of the pool, of which a client always gets the same address.
void write_pool_range(NftText& text, const Policy& policy, const SourceNat::Range& range, const std::string& before) {
    const bool v4 = range.first.is_v4();
    const std::string first = range.first.to_string();
    const std::string last = range.last.to_string();
    const std::string addresses = first == last ? first : first + '-' + last;
    const std::string bracketed = first == last ? '[' + first + ']' : '[' + first + "]-[" + last + ']';
    const std::string to = std::string("snat ") + (v4 ? "ip" : "ip6") + " to ";
    text.line(before + "meta l4proto { tcp, udp } " + to + (v4 ? addresses : bracketed) + ':' +
              to_text(policy.nat.ports) + " persistent comment \"the pool: always the same address for a client\"");
    text.line(before + to + addresses + " persistent");
}

// `persistent` knows one range, so each of several has a chain of its own.
void write_pool_chains(NftText& text, const Policy& policy) {
    for (const Family family : {Family::v4, Family::v6}) {
        const auto pool = pool_of(policy.nat, family);
        for (std::size_t i = 0; pool.size() > 1 && i < pool.size(); ++i) {
            text.open("chain " + pool_name(family, i));
            write_pool_range(text, policy, pool[i], "");
            text.close();
        }
    }
}

void write_pool(NftText& text, const Policy& policy, Family family, const std::string& way) {
    const auto pool = pool_of(policy.nat, family);
    const bool v4 = family == Family::v4;
    if (pool.size() == 1)
        write_pool_range(text, policy, pool.front(), way + "meta nfproto " + (v4 ? "ipv4 " : "ipv6 "));
    if (pool.size() < 2) return;
    std::uint64_t count = 0;
    std::string chains;
    for (std::size_t i = 0; i < pool.size(); ++i) {
        const std::uint64_t last = count + pool[i].size() - 1;
        chains += (i == 0 ? "" : ", ") + std::to_string(count);
        if (last > count) chains += '-' + std::to_string(last);
        chains += " : goto " + pool_name(family, i);
        count = last + 1;
    }
    text.line(way + "jhash " + (v4 ? "ip" : "ip6") + " saddr mod " + std::to_string(count) + " seed " +
              std::to_string(policy.nat.seed) + " vmap { " + chains + " }");
}

}  // namespace

void write_client_maps(NftText& text, const Policy& policy) {
    for (const Family family : {Family::v4, Family::v6}) {
        std::vector<SourceNat::Pin> clients;
        std::ranges::copy_if(policy.nat.clients, std::back_inserter(clients),
                             [&](const auto& one) { return one.client.address().is_v4() == (family == Family::v4); });
        if (policy.nat.follows_people) write_map(text, clients_name(family), family, "", clients);
        for (const auto& [length, pins] : pins_of(policy.nat, family))
            write_map(text, map_name(family, length), family, "flags interval", pins);
    }
}

// The node's own ports, wherever they are reached from outside.
void write_arrivals(NftText& text, const Policy& policy) {
    if (policy.forwards.empty() && !policy.interception) return;
    text.open("chain prerouting");
    text.line("type nat hook prerouting priority dstnat; policy accept;");
    write_interception(text, policy);
    for (const Forward& forward : policy.forwards) {
        const std::string transport(to_string(forward.transport));
        const bool v4 = forward.to.ip.is_v4();
        text.line(words_of_zone(policy, Zone::outside, "iifname") + "meta nfproto " + (v4 ? "ipv4" : "ipv6") +
                  " fib daddr type local " + transport + " dport " + std::to_string(forward.port) +
                  " counter name \"sent." + forward.id + "\" dnat " + (v4 ? "ip" : "ip6") + " to " +
                  forward.to.to_string() + " comment \"" + comment_of(forward.reason) + '"');
    }
    text.close();
}

// Every rule that could choose anew for each connection is left out: a bare range, a random map. A client keeps its
// address by its pin, else by a keyed hash and `persistent`, else because there is one address alone.
void write_source_nat(NftText& text, const Policy& policy) {
    const SourceNat& nat = policy.nat;
    if (nat.empty()) return;
    write_pool_chains(text, policy);
    text.open("chain postrouting");
    text.line("type nat hook postrouting priority srcnat; policy accept;");
    const std::string way =
        words_of_zone(policy, Zone::inside, "iifname") + words_of_zone(policy, Zone::outside, "oifname");
    for (const Family family : {Family::v4, Family::v6}) {
        const std::string ip = family == Family::v4 ? "ip" : "ip6";
        if (nat.follows_people)
            text.line(way + "snat " + ip + " to " + ip + " saddr map @" + clients_name(family) +
                      " comment \"users and devices, as leases and accounting place them\"");
        for (const auto& [length, pins] : pins_of(nat, family)) {
            text.line(way + "snat " + ip + " to " + ip + " saddr map @" + map_name(family, length) +
                      " comment \"pinned clients\"");
        }
    }
    for (const Family family : {Family::v4, Family::v6}) write_pool(text, policy, family, way);
    if (nat.masquerade) {
        text.line(way + "meta nfproto ipv4 meta l4proto { tcp, udp } masquerade to :" + to_text(nat.ports));
        text.line(way + "meta nfproto ipv4 masquerade");
    }
    text.close();
}

}  // namespace sallyport::firewall
