#include "firewall/families.hpp"
#include "firewall/render.hpp"

#include <algorithm>
#include <functional>

namespace sallyport::firewall {

namespace {

constexpr std::size_t ports_of_one_match = 15;  // of multiport; a range counts as two

const std::string input_chain = "SALLYPORT-IN";
const std::string forward_chain = "SALLYPORT-THROUGH";
const std::string banned_chain = "SALLYPORT-BANNED";
const std::string size_chain = "SALLYPORT-SIZE";
const std::string sent_chain = "SALLYPORT-SENT";
const std::string source_chain = "SALLYPORT-SOURCE";

struct Writer {
    const Policy& policy;
    Family family;
    std::string out = {};

    void line(const std::string& text) { out += text + '\n'; }
    bool v4() const { return family == Family::v4; }
};

using Words = std::vector<std::string>;

// iptables takes one interface at a time; an empty word: any.
Words words_of_zone(const Policy& policy, Zone zone, const std::string& option) {
    if (zone == Zone::any || !policy.has_zones()) return {""};
    const auto& names = zone == Zone::inside ? policy.inside : policy.outside;
    Words out;
    for (const auto& name : names) out.push_back(option + ' ' + name + ' ');
    return out;
}

Words words_of_ports(const Rule& rule) {
    if (rule.transports.empty()) return {""};
    Words out;
    for (const Transport transport : rule.transports) {
        const std::string protocol = "-p " + std::string(to_string(transport)) + ' ';
        if (rule.ports.empty()) out.push_back(protocol);
        std::string list;
        std::size_t room = ports_of_one_match;
        for (const PortRange& range : rule.ports) {
            const std::size_t takes = range.first == range.last ? 1 : 2;
            if (takes > room) {
                out.push_back(protocol + "-m multiport --dports " + list + ' ');
                list.clear();
                room = ports_of_one_match;
            }
            room -= takes;
            list += (list.empty() ? "" : ",") + std::to_string(range.first);
            if (takes == 2) list += ':' + std::to_string(range.last);
        }
        if (!list.empty()) out.push_back(protocol + "-m multiport --dports " + list + ' ');
    }
    return out;
}

Words words_of_networks(const std::vector<Network>& networks, Family family, const std::string& option) {
    const auto own = of_family(networks, family);
    if (own.empty()) return {""};
    Words out;
    for (const Network& network : own) out.push_back(option + ' ' + network.to_string() + ' ');
    return out;
}

std::string chain_of(Zone zone) { return zone == Zone::inside ? "SALLYPORT-REFUSE-IN" : "SALLYPORT-REFUSE-OUT"; }
std::string reset_chain_of(Zone zone) { return zone == Zone::inside ? "SALLYPORT-RESET-IN" : "SALLYPORT-RESET-OUT"; }

std::string words_of_action(const Rule& rule, Zone zone) {
    switch (rule.action) {
        case Action::accept: return "-j ACCEPT";
        case Action::note: return "";
        case Action::drop: return "-j DROP";
        case Action::refuse: return "-g " + chain_of(zone);
        case Action::reset: return "-g " + reset_chain_of(zone);
    }
    return "";
}

Words fixed_matches(const Writer& writer, const Rule& rule) {
    const std::string kind = writer.v4() ? "-p icmp --icmp-type " : "-p icmpv6 --icmpv6-type ";
    const bool through = rule.hook == Hook::forward;
    switch (rule.kind) {
        case Kind::established: return {"-m conntrack --ctstate ESTABLISHED,RELATED "};
        case Kind::invalid: return {"-m conntrack --ctstate INVALID "};
        case Kind::loopback: return {"-i lo "};
        case Kind::control: {
            Words out;
            const Words v4 = through ? Words{"3", "11", "12"} : Words{"3", "8", "11", "12"};
            const Words v6 =
                through ? Words{"1", "2", "3", "4"}
                        : Words{"1", "2", "3", "4", "128", "130", "131", "132", "133", "134", "135", "136", "143"};
            for (const auto& type : writer.v4() ? v4 : v6) out.push_back(kind + type + ' ');
            return out;
        }
        case Kind::dhcp6: return writer.v4() ? Words{} : Words{"-s fe80::/10 -p udp --sport 547 --dport 546 "};
        case Kind::not_for_us: return {"-m pkttype --pkt-type broadcast ", "-m pkttype --pkt-type multicast "};
        case Kind::segment_size:  // stands in the table mangle
        case Kind::wanted:
        case Kind::flow: break;
    }
    return {};
}

Words flow_matches(const Writer& writer, const Rule& rule, Zone zone) {
    if (!concerns_family(rule, writer.family)) return {};
    Words out;
    for (const auto& in : words_of_zone(writer.policy, zone, "-i")) {
        for (const auto& leaves : words_of_zone(writer.policy, rule.to_zone, "-o")) {
            for (const auto& from : words_of_networks(rule.from, writer.family, "-s")) {
                for (const auto& to : words_of_networks(rule.to, writer.family, "-d")) {
                    for (const auto& ports : words_of_ports(rule)) {
                        out.push_back(in + leaves + from + to +
                                      (rule.translated ? "-m conntrack --ctstate DNAT " : "") + ports);
                    }
                }
            }
        }
    }
    return out;
}

std::string because(std::string_view reason) { return "-m comment --comment \"" + comment_of(reason) + "\" "; }

// Whom a rule leaves out, an own chain lets out again: iptables has no "except" for several networks.
void write_exceptions(Writer& writer, const Rule& rule) {
    for (const auto& words : words_of_networks(rule.except, writer.family, "-s")) {
        if (!words.empty()) writer.line("-A " + banned_chain + ' ' + words + "-j RETURN");
    }
}

void write_rule(Writer& writer, const std::string& own_chain, const Rule& rule) {
    const bool excepts = !rule.except.empty();
    const std::string& chain = excepts ? banned_chain : own_chain;
    if (excepts) write_exceptions(writer, rule);
    const auto write = [&](const Words& matches, Zone zone) {
        for (const auto& match : matches)
            writer.line("-A " + chain + ' ' + match + because(rule.reason) + words_of_action(rule, zone));
    };
    if (rule.kind != Kind::flow) return write(fixed_matches(writer, rule), Zone::any);
    const bool both = writer.policy.has_zones() && rule.zone == Zone::any && rule.stage != Stage::refusals &&
                      (rule.action == Action::refuse || rule.action == Action::reset);
    if (both) write(flow_matches(writer, rule, Zone::inside), Zone::inside);
    write(flow_matches(writer, rule, rule.zone), rule.zone);
    if (excepts) writer.line("-A " + own_chain + " -j " + banned_chain);
}

void write_refusals(Writer& writer, Zone zone) {
    const std::string rate = std::to_string(writer.policy.deny_rate);
    const std::string within = "-m limit --limit " + rate + "/sec --limit-burst " + rate + ' ';
    const std::string reset = "-j REJECT --reject-with tcp-reset";
    const std::string unreachable =
        std::string("-j REJECT --reject-with ") + (writer.v4() ? "icmp-port-unreachable" : "icmp6-port-unreachable");
    const Deny deny = writer.policy.deny(zone);
    const std::string answers = chain_of(zone) + "-NOW";
    const std::string refuse = "-A " + chain_of(zone) + ' ';
    if (deny != Deny::drop) writer.line(refuse + within + "-g " + answers);
    writer.line(refuse + "-j DROP");
    if (deny == Deny::reset) writer.line("-A " + answers + " -p tcp " + reset);
    if (deny != Deny::drop) writer.line("-A " + answers + ' ' + unreachable);
    writer.line("-A " + reset_chain_of(zone) + " -p tcp " + within + reset);
    writer.line("-A " + reset_chain_of(zone) + " -j DROP");
}

void declare(Writer& writer, const Words& chains) {
    for (const auto& chain : chains) writer.line(':' + chain + " - [0:0]");
}

void write_filter(Writer& writer) {
    const Policy& policy = writer.policy;
    writer.line("*filter");
    declare(writer, {input_chain, banned_chain});
    if (policy.routes()) declare(writer, {forward_chain});
    std::vector<Zone> zones{Zone::outside};
    if (policy.has_zones()) zones.push_back(Zone::inside);
    for (const Zone zone : zones) {
        declare(writer, {chain_of(zone), chain_of(zone) + "-NOW", reset_chain_of(zone)});
        write_refusals(writer, zone);
    }
    for (const Rule& rule : policy.rules) {
        if (rule.hook == Hook::output) continue;
        write_rule(writer, rule.hook == Hook::input ? input_chain : forward_chain, rule);
    }
    writer.line("-I INPUT 1 -j " + input_chain);
    if (policy.routes()) writer.line("-I FORWARD 1 -j " + forward_chain);
    writer.line("COMMIT");
}

void write_segment_size(Writer& writer) {
    writer.line("*mangle");
    declare(writer, {size_chain});
    writer.line("-A " + size_chain + " -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu");
    writer.line("-I FORWARD 1 -j " + size_chain);
    writer.line("COMMIT");
}

void write_interception(Writer& writer) {
    if (!writer.policy.interception) return;
    const Interception& interception = *writer.policy.interception;
    Rule ports;
    ports.transports = {Transport::tcp};
    ports.ports = interception.ports;
    for (const Network& network : of_family(interception.to, writer.family)) {
        for (const auto& in : words_of_zone(writer.policy, Zone::inside, "-i")) {
            for (const auto& match : words_of_ports(ports))
                writer.line("-A " + sent_chain + ' ' + in + "-d " + network.to_string() + ' ' + match +
                            because(interception.reason) + "-j REDIRECT");
        }
    }
}

void write_forwards(Writer& writer) {
    for (const Forward& forward : writer.policy.forwards) {
        if (forward.to.ip.is_v4() != writer.v4()) continue;
        for (const auto& in : words_of_zone(writer.policy, Zone::outside, "-i")) {
            writer.line("-A " + sent_chain + ' ' + in + "-m addrtype --dst-type LOCAL -p " +
                        std::string(to_string(forward.transport)) + " --dport " + std::to_string(forward.port) + ' ' +
                        because(forward.reason) + "-j DNAT --to-destination " + forward.to.to_string());
        }
    }
}

// The chain after routing knows no interface that a packet came by. What this node sends itself keeps its address.
void write_source_nat(Writer& writer) {
    const SourceNat& nat = writer.policy.nat;
    for (const auto& out : words_of_zone(writer.policy, Zone::outside, "-o")) {
        const std::string rule = "-A " + source_chain + ' ' + out + "-m addrtype ! --src-type LOCAL ";
        const auto write_pin = [&](const SourceNat::Pin& pin) {
            if (pin.client.address().is_v4() != writer.v4()) return;
            writer.line(rule + "-s " + pin.client.to_string() + " -j SNAT --to-source " + pin.source.to_string() +
                        " --persistent");
        };
        auto pins = nat.pins;
        std::ranges::sort(pins, std::greater{},
                          [](const auto& pin) { return std::pair(pin.client.mapped_bits(), pin.client); });
        std::ranges::for_each(nat.clients, write_pin);
        std::ranges::for_each(pins, write_pin);
        const auto by_ports = [&](const std::string& verdict, const std::string& more) {
            for (const std::string protocol : {"tcp", "udp"})
                writer.line(rule + "-p " + protocol + ' ' + verdict + more);
        };
        for (const auto& range : nat.pool) {  // the first of the family takes all
            if (range.first.is_v4() != writer.v4()) continue;
            const std::string first = range.first.to_string();
            const std::string last = range.last.to_string();
            const std::string both = writer.v4() ? first + '-' + last : '[' + first + '-' + last + ']';
            by_ports("-j SNAT --to-source " + both + ':' + to_text(nat.ports), " --persistent");
            writer.line(rule + "-j SNAT --to-source " + first + '-' + last + " --persistent");
            break;
        }
        if (!nat.masquerade || !writer.v4()) continue;
        by_ports("-j MASQUERADE --to-ports " + to_text(nat.ports), "");
        writer.line(rule + "-j MASQUERADE");
    }
}

void write_nat(Writer& writer) {
    writer.line("*nat");
    declare(writer, {sent_chain, source_chain});
    write_interception(writer);
    write_forwards(writer);
    write_source_nat(writer);
    writer.line("-I PREROUTING 1 -j " + sent_chain);
    writer.line("-I POSTROUTING 1 -j " + source_chain);
    writer.line("COMMIT");
}

}  // namespace

std::string to_iptables(const Policy& policy, bool v6) {
    Writer writer{.policy = policy, .family = v6 ? Family::v6 : Family::v4};
    writer.line("# Made by sallyport from its configuration, for " +
                std::string(v6 ? "ip6tables-restore" : "iptables-restore") +
                " --noflush. Loading it anew replaces the chains;");
    writer.line("# leave out the lines that begin in -I then, for the jumps to them are there already.");
    const auto of_this_family = [&](const auto& range) { return range.first.is_v4() == !v6; };
    if (std::ranges::count_if(policy.nat.pool, of_this_family) > 1)
        writer.line("# Of the pool the first network alone: iptables can't choose among several by a keyed hash.");
    if (policy.routes()) write_segment_size(writer);
    if (policy.routes() || policy.interception) write_nat(writer);
    write_filter(writer);
    return std::move(writer.out);
}

}  // namespace sallyport::firewall
