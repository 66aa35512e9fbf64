#include "firewall/families.hpp"
#include "firewall/nft_text.hpp"
#include "firewall/render.hpp"

#include <functional>
#include <map>
#include <utility>

namespace sallyport::firewall {

namespace {

constexpr std::size_t longest_comment = 120;  // bytes; the kernel keeps 128 with their header
constexpr std::size_t most_wanted = 4096;     // ports and clients remembered, of each family

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

void write_rule(NftText& text, const Policy& policy, const Rule& rule) {
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

void write_refusals(NftText& text, const Policy& policy, Zone zone) {
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

void write_counters(NftText& text, const Policy& policy, const Counts& counts) {
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

void write_wanted(NftText& text) {
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

void write_chain(NftText& text, const Policy& policy, Hook hook, std::string_view name) {
    text.open("chain " + std::string(name));
    text.line("type filter hook " + std::string(name) + " priority filter; policy drop;");
    for (const Rule& rule : policy.rules) {
        if (rule.hook == hook) write_rule(text, policy, rule);
    }
    text.close();
}

}  // namespace

std::string network_text(const Network& network) {
    const bool one = network.mapped_bits() == 128;
    return one ? network.address().to_string() : network.to_string();
}

std::string words_of_zone(const Policy& policy, Zone zone, std::string_view meta) {
    const std::string word(meta);
    if (zone == Zone::any || !policy.has_zones()) return "";
    return word + ' ' +
           set_of(zone == Zone::inside ? policy.inside : policy.outside,
                  [](const std::string& name) { return '"' + name + '"'; }) +
           ' ';
}

std::string comment_of(std::string_view reason) {
    std::string out;
    for (const char c : reason.substr(0, longest_comment)) {
        const bool plain = c >= ' ' && c <= '~' && c != '"' && c != '\\';
        out += plain ? c : '?';
    }
    return out;
}

std::string to_nft(const Policy& policy, const Counts& counts) {
    NftText text;
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
    write_client_maps(text, policy);
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
