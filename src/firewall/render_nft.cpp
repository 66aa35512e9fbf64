#include "firewall/families.hpp"
#include "firewall/render.hpp"

#include <functional>
#include <map>
#include <utility>

namespace sallyport::firewall {

namespace {

constexpr std::size_t longest_comment = 120;  // bytes; the kernel keeps 128 with their header
constexpr std::size_t most_wanted = 4096;     // ports and clients remembered, of each family

// "x" of one, "{ a, b }" of more.
template <class T, class Text>
std::string list_of(const std::vector<T>& elements, Text text) {
    std::string out;
    for (const auto& element : elements) out += (out.empty() ? "" : ", ") + text(element);
    return out;
}
template <class T, class Text>
std::string set_of(const std::vector<T>& elements, Text text) {
    const std::string list = list_of(elements, text);
    return elements.size() == 1 ? list : "{ " + list + " }";
}

std::string network_text(const Network& network) {
    const bool one = network.mapped_bits() == 128;
    return one ? network.address().to_string() : network.to_string();
}

std::string quoted(const std::string& text) { return '"' + text + '"'; }

std::string words_of_zone(const Policy& policy, Zone zone, std::string_view meta) {
    const std::string word(meta);
    if (zone == Zone::any || !policy.has_zones()) return "";
    return word + ' ' + set_of(zone == Zone::inside ? policy.inside : policy.outside, quoted) + ' ';
}

std::string words_of_addresses(const Rule& rule, Family family) {
    const std::string ip = family == Family::v4 ? "ip" : "ip6";
    std::string out;
    const auto add = [&](const std::vector<Network>& networks, const std::string& field) {
        const auto own = of_family(networks, family);
        if (own.empty()) return;
        if (is_everything(own))
            out += "meta nfproto " + std::string(family == Family::v4 ? "ipv4 " : "ipv6 ");
        else
            out += ip + ' ' + field + ' ' + set_of(own, network_text) + ' ';
    };
    add(rule.from, "saddr");
    add(rule.except, "saddr !=");
    add(rule.to, "daddr");
    return out;
}

std::string words_of_ports(const Rule& rule) {
    if (rule.transports.empty()) return "";
    const auto name = [](Transport transport) { return std::string(to_string(transport)); };
    const std::string ports =
        rule.ports.empty() ? "" : set_of(rule.ports, [](const auto& one) { return to_text(one); });
    if (rule.transports.size() == 1 && !ports.empty()) return name(rule.transports.front()) + " dport " + ports + ' ';
    return "meta l4proto " + set_of(rule.transports, name) + ' ' + (ports.empty() ? "" : "th dport " + ports + ' ');
}

std::string refusal_chain(const Policy& policy, Zone zone) {
    return policy.has_zones() && zone == Zone::inside ? "refuse_inside" : "refuse_outside";
}

std::string words_of_action(const Policy& policy, const Rule& rule, Zone zone) {
    switch (rule.action) {
        case Action::accept: return "accept ";
        case Action::note: return "";
        case Action::drop: return "drop ";
        case Action::refuse: return "goto " + refusal_chain(policy, zone) + ' ';
        case Action::reset: return "goto reset_" + std::string(zone == Zone::inside ? "inside " : "outside ");
    }
    return "";
}

// The matches that mean one fixed thing, each line a rule.
std::vector<std::string> fixed_matches(const Rule& rule) {
    const std::string first_packet = "tcp flags & (fin | syn | rst | ack) == syn ";
    switch (rule.kind) {
        case Kind::segment_size: return {"tcp flags syn tcp option maxseg size set rt mtu "};
        case Kind::established: return {"ct state established,related "};
        case Kind::invalid: return {"ct state invalid "};
        case Kind::loopback: return {"iifname \"lo\" "};
        case Kind::control:
            if (rule.hook == Hook::forward) {
                return {"icmp type { destination-unreachable, time-exceeded, parameter-problem } ",
                        "icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } "};
            }
            return {"icmp type { destination-unreachable, time-exceeded, parameter-problem, echo-request } ",
                    "icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem, "
                    "echo-request, nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, "
                    "mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report } "};
        case Kind::dhcp6: return {"ip6 saddr fe80::/10 udp sport 547 udp dport 546 "};
        case Kind::wanted:
            return {first_packet + "update @wanted4 { ip saddr . meta l4proto . tcp dport } ",
                    first_packet + "update @wanted6 { ip6 saddr . meta l4proto . tcp dport } ",
                    "meta l4proto udp update @wanted4 { ip saddr . meta l4proto . udp dport } ",
                    "meta l4proto udp update @wanted6 { ip6 saddr . meta l4proto . udp dport } "};
        case Kind::not_for_us: return {"meta pkttype != host "};
        case Kind::flow: break;
    }
    return {};
}

std::vector<std::string> flow_matches(const Policy& policy, const Rule& rule, Zone zone) {
    const std::string before = words_of_zone(policy, zone, "iifname") + words_of_zone(policy, rule.to_zone, "oifname") +
                               (rule.translated ? "ct status dnat " : "");
    if (!names_addresses(rule)) return {before + words_of_ports(rule)};
    std::vector<std::string> lines;
    for (const Family family : {Family::v4, Family::v6}) {
        if (!concerns_family(rule, family)) continue;
        lines.push_back(before + words_of_addresses(rule, family) + words_of_ports(rule));
    }
    return lines;
}

class Text {
public:
    void line(std::string_view text) { out_.append(depth_, '\t').append(text) += '\n'; }
    void open(std::string_view text) {
        line(std::string(text) + " {");
        ++depth_;
    }
    void close() {
        --depth_;
        line("}");
    }
    std::string take() { return std::move(out_); }

private:
    std::string out_;
    std::size_t depth_ = 0;
};

void write_rule(Text& text, const Policy& policy, const Rule& rule) {
    const std::string counter = rule.kind == Kind::segment_size ? "" : "counter name \"" + rule.id + "\" ";
    const auto write = [&](const std::vector<std::string>& matches, Zone zone) {
        for (const auto& match : matches) {
            text.line(match + counter + words_of_action(policy, rule, zone) + "comment \"" + comment_of(rule.reason) +
                      '"');
        }
    };
    if (rule.kind != Kind::flow) return write(fixed_matches(rule), Zone::any);
    // A rule for both sides refuses each as that side is refused.
    const bool both = policy.has_zones() && rule.zone == Zone::any && rule.stage != Stage::refusals &&
                      (rule.action == Action::refuse || rule.action == Action::reset);
    if (both) write(flow_matches(policy, rule, Zone::inside), Zone::inside);
    write(flow_matches(policy, rule, rule.zone), rule.zone);
}

void write_refusals(Text& text, const Policy& policy, Zone zone) {
    const std::string side(zone_names[static_cast<std::size_t>(zone)]);
    const std::string rate = std::to_string(policy.deny_rate);
    const std::string guard = "limit rate over " + rate + "/second burst " + rate +
                              " packets counter name \"too-fast-" + side +
                              "\" drop comment \"nobody uses the answers against others\"";
    text.open("chain refuse_" + side);
    if (policy.deny(zone) == Deny::drop) {
        text.line("drop");
    } else {
        text.line(guard);
        if (policy.deny(zone) == Deny::reset) text.line("meta l4proto tcp reject with tcp reset");
        text.line("reject with icmpx port-unreachable");
    }
    text.close();
    text.open("chain reset_" + side);
    text.line(guard);
    text.line("meta l4proto tcp reject with tcp reset");
    text.close();
}

void write_counters(Text& text, const Policy& policy, const Counts& counts) {
    const auto write = [&](const std::string& name) {
        const auto at = counts.find(name);
        const Count count = at == counts.end() ? Count{} : at->second;
        text.open("counter " + name);
        text.line("packets " + std::to_string(count.packets) + " bytes " + std::to_string(count.bytes));
        text.close();
    };
    for (const Rule& rule : policy.rules) {
        if (rule.hook != Hook::output && rule.kind != Kind::segment_size) write(rule.id);
    }
    for (const Forward& forward : policy.forwards) write("sent." + forward.id);
    if (policy.interception) write("sent." + policy.interception->id);
    if (policy.has_zones()) write("too-fast-inside");
    write("too-fast-outside");
}

void write_wanted(Text& text) {
    for (const auto& [name, type] : {std::pair(wanted_v4, "ipv4_addr"), std::pair(wanted_v6, "ipv6_addr")}) {
        text.open("set " + std::string(name));
        text.line(std::string("type ") + type + " . inet_proto . inet_service");
        text.line("size " + std::to_string(most_wanted));
        text.line("flags dynamic,timeout");
        text.line("counter");
        text.line("timeout 1h");
        text.close();
    }
}

void write_chain(Text& text, const Policy& policy, Hook hook, std::string_view name) {
    text.open("chain " + std::string(name));
    text.line("type filter hook " + std::string(name) + " priority filter; policy drop;");
    for (const Rule& rule : policy.rules) {
        if (rule.hook == hook) write_rule(text, policy, rule);
    }
    text.close();
}

// What clients inside send to these networks comes to the same port of this node.
void write_interception(Text& text, const Policy& policy) {
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

// The node's own ports, wherever they are reached from outside.
void write_arrivals(Text& text, const Policy& policy) {
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

void write_map(Text& text, const std::string& name, Family family, std::string_view flags,
               const std::vector<SourceNat::Pin>& pins) {
    const std::string type = family == Family::v4 ? "ipv4_addr" : "ipv6_addr";
    text.open("map " + name);
    text.line("type " + type + " : " + type);
    if (!flags.empty()) text.line(flags);
    const auto element = [](const auto& pin) { return network_text(pin.client) + " : " + pin.source.to_string(); };
    if (!pins.empty()) text.line("elements = { " + list_of(pins, element) + " }");
    text.close();
}

void write_pin_maps(Text& text, const Policy& policy) {
    for (const Family family : {Family::v4, Family::v6}) {
        std::vector<SourceNat::Pin> clients;
        std::ranges::copy_if(policy.nat.clients, std::back_inserter(clients),
                             [&](const auto& one) { return one.client.address().is_v4() == (family == Family::v4); });
        if (policy.nat.follows_people) write_map(text, clients_name(family), family, "", clients);
        for (const auto& [length, pins] : pins_of(policy.nat, family))
            write_map(text, map_name(family, length), family, "flags interval", pins);
    }
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
void write_pool_range(Text& text, const Policy& policy, const SourceNat::Range& range, const std::string& before) {
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
void write_pool_chains(Text& text, const Policy& policy) {
    for (const Family family : {Family::v4, Family::v6}) {
        const auto pool = pool_of(policy.nat, family);
        for (std::size_t i = 0; pool.size() > 1 && i < pool.size(); ++i) {
            text.open("chain " + pool_name(family, i));
            write_pool_range(text, policy, pool[i], "");
            text.close();
        }
    }
}

void write_pool(Text& text, const Policy& policy, Family family, const std::string& way) {
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

// Every rule that could choose anew for each connection is left out: a bare range, a random map. A client keeps its
// address by its pin, else by a keyed hash and `persistent`, else because there is one address alone.
void write_source_nat(Text& text, const Policy& policy) {
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

}  // namespace

std::string comment_of(std::string_view reason) {
    std::string out;
    for (const char c : reason.substr(0, longest_comment)) {
        const bool plain = c >= ' ' && c <= '~' && c != '"' && c != '\\';
        out += plain ? c : '?';
    }
    return out;
}

std::string to_nft(const Policy& policy, const Counts& counts) {
    Text text;
    const std::string table = "table inet " + std::string(table_name);
    text.line("# Made by sallyport from its configuration: change it there, then `sallyport firewall apply`.");
    for (const auto& who : policy.nat.unplaced)
        text.line("# Not here, because nobody knows behind which address: " + comment_of(who));
    text.line(table);
    text.line("delete " + table);
    text.open(table);
    text.line("comment \"made by sallyport from its configuration\"");
    write_counters(text, policy, counts);
    write_wanted(text);
    write_pin_maps(text, policy);
    if (policy.has_zones()) write_refusals(text, policy, Zone::inside);
    write_refusals(text, policy, Zone::outside);
    write_chain(text, policy, Hook::input, "input");
    if (policy.routes()) write_chain(text, policy, Hook::forward, "forward");
    write_arrivals(text, policy);
    write_source_nat(text, policy);
    text.close();
    return text.take();
}

}  // namespace sallyport::firewall
