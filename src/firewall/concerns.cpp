#include "config/problem.hpp"
#include "firewall/policy.hpp"

#include <algorithm>

namespace sallyport::firewall {

namespace {

constexpr std::uint32_t flows_of_an_address = 4096; // fewer ports than these are soon used up by one busy network

bool is_everybody(const config::Located<Network>& network) { return network.value.bits() == 0; }

void check_admins(const config::Config& config, std::vector<Concern>& out) {
    const auto& firewall = config.firewall;
    const auto wide = std::ranges::find_if(firewall.admin_from, is_everybody);
    if (wide != firewall.admin_from.end()) {
        out.push_back({"admin_from: " + config::quote(wide->value.to_string()) + " lets everybody try the admin ports",
                       "name the networks that admins work from", wide->place});
    }
    if (firewall.admin_from.empty() && firewall.inside.empty()) {
        out.push_back(
            {"nobody can look after this machine over the network: there "
             "is neither inside nor admin_from",
             "write admin_from with the networks that admins work from", firewall.place});
    }
}

void check_nat_ports(const config::Config& config, const Policy& policy, std::vector<Concern>& out) {
    if (policy.nat.empty() || policy.nat.ports.size() >= flows_of_an_address) return;
    const auto& ports = config.firewall.nat_ports;
    out.push_back({"nat_ports: " + std::to_string(ports.value.size()) +
                       " ports are as many connections to one server at once, "
                       "for all clients of an address together",
                   "give it " + std::to_string(flows_of_an_address) + " or more", ports.place});
}

// Both take ports of the same addresses: a forwarded connection could get one
// that a relay wants.
void check_relay_ports(const config::Config& config, const Policy& policy, std::vector<Concern>& out) {
    const auto& turn = config.turn;
    const bool relays =
        config.mux_takes_turn() || !turn.udp.empty() || !turn.tcp.empty() || !turn.tls.empty() || !turn.dtls.empty();
    if (!relays) return;
    const PortRange& relay = turn.relay_ports.value;
    const PortRange& nat = policy.nat.ports;
    if (!policy.nat.empty() && relay.first <= nat.last && nat.first <= relay.last) {
        out.push_back({"nat_ports " + to_text(nat) + " and relay_ports " + to_text(relay) + " overlap",
                       "keep them apart: a relay finds its port taken by a "
                       "connection that passes through",
                       config.firewall.nat_ports.place});
    }
    const std::size_t wanted = config.turn_users.size() * turn.allocations_per_user;
    if (wanted > relay.size()) {
        out.push_back({"relay_ports: " + std::to_string(relay.size()) + " ports are fewer than " +
                           std::to_string(wanted) + ", what the users of [turn] may hold together",
                       "widen it, or lower allocations_per_user", turn.relay_ports.place});
    }
}

void check_interception(const config::Config& config, const Policy& policy, std::vector<Concern>& out) {
    if (!config.push.intercept) return;
    for (const auto& port : config.push.ports) {
        const bool taken =
            policy.interception && std::ranges::any_of(policy.interception->ports, [&](const PortRange& one) {
                return one.first <= port.value && port.value <= one.last;
            });
        if (taken) continue;
        out.push_back({"intercept: what goes to Apple on port " + std::to_string(port.value) +
                           " is not redirected, because [listen] has that port on all addresses",
                       "name the addresses there", config.push.place});
    }
}

// A user or a device has a rule only once something tells behind which address.
void check_people(const config::Config& config, const Policy& policy, std::vector<Concern>& out) {
    if (!policy.has_zones()) return;
    for (const auto& pin : config.egress_pins) {
        const bool user = !pin.user.value.empty() && !config.egress.radius;
        const bool device = !pin.mac.value.empty() && !config.egress.radius && config.egress.leases.empty();
        if (!user && !device) continue;
        out.push_back({"the pin of " + config::quote(user ? pin.user.value : pin.mac.value) +
                           " has no rule: nothing tells behind which address " + (user ? "this user" : "it") + " is",
                       user ? "write radius of [egress]" : "write leases or radius of [egress]", pin.place});
    }
}

bool holds(const SourceNat::Range& range, const IpAddress& address) {
    return range.first <= address && address <= range.last;
}

void check_pool(const Policy& policy, std::vector<Concern>& out) {
    const auto& pool = policy.nat.pool;
    for (std::size_t i = 0; i < pool.size(); ++i) {
        for (std::size_t j = i + 1; j < pool.size(); ++j) {
            if (holds(pool[i], pool[j].first) || holds(pool[j], pool[i].first)) {
                out.push_back({"the pools " + pool[i].first.to_string() + '-' + pool[i].last.to_string() + " and " +
                                   pool[j].first.to_string() + '-' + pool[j].last.to_string() + " overlap",
                               "two clients would share an address that was meant for one",
                               {}});
            }
        }
        for (const auto& pin : policy.nat.pins) {
            if (pin.client.contains(pool[i].first) || pin.client.contains(pool[i].last)) {
                out.push_back({"the pool from " + pool[i].first.to_string() + " lies within the clients' network " +
                                   pin.client.to_string(),
                               "an address can't be inside and outside",
                               {}});
            }
        }
    }
}

} // namespace

std::vector<Concern> concerns(const config::Config& config, const Policy& policy) {
    std::vector<Concern> out;
    check_admins(config, out);
    check_nat_ports(config, policy, out);
    check_relay_ports(config, policy, out);
    check_interception(config, policy, out);
    check_people(config, policy, out);
    check_pool(policy, out);
    return out;
}

} // namespace sallyport::firewall
