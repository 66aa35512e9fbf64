#include "firewall/evaluate.hpp"

#include <algorithm>

namespace sallyport::firewall {

namespace {

bool holds(const std::vector<Network>& networks, const IpAddress& address) {
    return std::ranges::any_of(networks, [&](const Network& one) { return one.contains(address); });
}

bool holds(const std::vector<PortRange>& ranges, std::uint16_t port) {
    return std::ranges::any_of(ranges, [&](const PortRange& one) { return one.first <= port && port <= one.last; });
}

// Why a rule does not fit, or nothing.
std::string misfit(const Rule& rule, const Packet& packet, bool translated) {
    const auto is_other = [](Zone wanted, Zone is) { return wanted != Zone::any && wanted != is; };
    if (rule.translated && !translated) return "it was not sent on from a port of this node, nor taken by it";
    if (is_other(rule.zone, packet.zone)) return "it comes from another side";
    if (is_other(rule.to_zone, packet.to_zone)) return "it leaves to another side";
    if (!rule.transports.empty() && std::ranges::find(rule.transports, packet.transport) == rule.transports.end())
        return "another protocol";
    if (!rule.ports.empty() && !holds(rule.ports, packet.port)) return "another port";
    if (!rule.from.empty() && !holds(rule.from, packet.from)) return "another client";
    if (holds(rule.except, packet.from)) return "the client is exempt";
    if (!rule.to.empty() && !holds(rule.to, packet.to)) return "another address";
    return "";
}

// Rules of other kinds than addresses and ports decide about this packet only where it comes from the machine itself.
bool has_a_say(const Rule& rule, const Packet& packet) {
    if (rule.hook != packet.hook) return false;
    return rule.kind == Kind::flow || (rule.kind == Kind::loopback && packet.zone == Zone::any);
}

std::string answer_of(const Policy& policy, const Rule& rule, const Packet& packet) {
    const bool tcp = packet.transport == Transport::tcp;
    const auto by_icmp = "refused by ICMP, as often as kernels send it";
    switch (rule.action) {
        case Action::accept: return "let through";
        case Action::drop: return "silence: the client waits until it gives up";
        case Action::reset: return "refused at once by TCP reset";
        case Action::note: break;
        case Action::refuse:
            switch (policy.deny(packet.zone)) {
                case Deny::reset: return tcp ? "refused at once by TCP reset" : by_icmp;
                case Deny::icmp: return by_icmp;
                case Deny::drop: return "silence: the client waits until it gives up";
            }
    }
    return "";
}

const Forward* forward_of(const Policy& policy, const Packet& packet) {
    if (packet.hook != Hook::input || (policy.has_zones() && packet.zone != Zone::outside)) return nullptr;
    const auto at = std::ranges::find_if(policy.forwards, [&](const Forward& one) {
        return one.transport == packet.transport && one.port == packet.port && one.to.ip.is_v4() == packet.to.is_v4();
    });
    return at == policy.forwards.end() ? nullptr : &*at;
}

// Does this node take what was meant for another?
bool is_intercepted(const Policy& policy, const Packet& packet) {
    if (!policy.interception || packet.hook != Hook::forward || packet.transport != Transport::tcp) return false;
    if (policy.has_zones() && packet.zone != Zone::inside) return false;
    return holds(policy.interception->ports, packet.port) && holds(policy.interception->to, packet.to);
}

}  // namespace

Verdict evaluate(const Policy& policy, Packet packet) {
    Verdict verdict;
    verdict.forward = forward_of(policy, packet);
    if (verdict.forward != nullptr) {
        const SocketAddress& to = verdict.forward->to;
        verdict.trail.push_back({verdict.forward->id, verdict.forward->place, "sent to " + to.to_string()});
        packet.hook = Hook::forward;
        packet.to = to.ip;
        packet.port = to.port;
        packet.to_zone = Zone::inside;
    }
    const bool intercepted = is_intercepted(policy, packet);
    if (intercepted) {
        verdict.trail.push_back({policy.interception->id, policy.interception->place, "taken by this node"});
        packet.hook = Hook::input;
    }
    const bool translated = intercepted || verdict.forward != nullptr;
    if (packet.hook == Hook::output || (packet.hook == Hook::forward && !policy.routes())) {
        verdict.admitted = true;
        verdict.answer = "let through: this policy has no say in it";
        return verdict;
    }
    for (const Rule& rule : policy.rules) {
        if (!has_a_say(rule, packet)) continue;
        std::string why = rule.kind == Kind::flow ? misfit(rule, packet, translated) : "";
        verdict.trail.push_back({rule.id, rule.place, why.empty() ? "match" : "no match: " + std::move(why)});
        if (verdict.trail.back().result != "match") continue;
        verdict.rule = &rule;
        verdict.admitted = rule.action == Action::accept;
        verdict.answer = answer_of(policy, rule, packet);
        return verdict;
    }
    return verdict;  // not reached: the last rule of each hook refuses everything
}

}  // namespace sallyport::firewall
