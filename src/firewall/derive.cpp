#include "firewall/derive.hpp"

#include "config/redis_url.hpp"
#include "firewall/derive_media.hpp"
#include "firewall/passages.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <ranges>

namespace sallyport::firewall {

namespace {

using config::Config;
using config::Located;
using Place = config::Place;

std::vector<Network> values(const std::vector<Located<Network>>& located) {
    std::vector<Network> out;
    for (const auto& one : located) out.push_back(one.value);
    return out;
}

std::vector<PortRange> ranges(const std::vector<Located<std::uint16_t>>& ports) {
    std::vector<PortRange> out;
    for (const auto& port : ports) out.push_back({port.value, port.value});
    return merged(std::move(out));
}

std::vector<Transport> values(const std::vector<Located<Transport>>& located) {
    std::vector<Transport> out;
    for (const auto& one : located) out.push_back(one.value);
    std::ranges::sort(out);
    out.erase(std::ranges::unique(out).begin(), out.end());
    return out;
}

// ---- What every policy begins and ends with.

void add_fixed(Policy& policy, Hook hook, std::string_view prefix) {
    const auto add = [&](std::string_view id, Stage stage, Kind kind, Action action, std::string reason) {
        policy.rules.push_back({.id = std::string(prefix) + std::string(id),
                                .stage = stage,
                                .hook = hook,
                                .kind = kind,
                                .action = action,
                                .reason = std::move(reason)});
    };
    if (hook == Hook::forward) {
        add("segment-size", Stage::established, Kind::segment_size, Action::note,
            "no segment is larger than what fits the way on");
    }
    add("established", Stage::established, Kind::established, Action::accept, "connections that were admitted go on");
    add("invalid", Stage::established, Kind::invalid, Action::drop, "belongs to no connection");
    add("control", Stage::must_pass, Kind::control, Action::accept,
        "ICMP that connections depend on, and who has which address");
    if (hook == Hook::input) {
        add("loopback", Stage::must_pass, Kind::loopback, Action::accept, "this machine to itself");
        add("dhcp6", Stage::must_pass, Kind::dhcp6, Action::accept, "this machine's own IPv6 address");
        add("not-for-us", Stage::wanted, Kind::not_for_us, Action::drop, "broadcasts are never answered");
        add("wanted", Stage::wanted, Kind::wanted, Action::note, "remembers who asked for which closed port");
    }
}

void add_refusals(Policy& policy, Hook hook, std::string_view prefix) {
    const auto add = [&](std::string_view id, Zone zone, std::string reason) {
        policy.rules.push_back({.id = std::string(prefix) + std::string(id),
                                .stage = Stage::refusals,
                                .hook = hook,
                                .action = Action::refuse,
                                .reason = std::move(reason),
                                .zone = zone});
    };
    if (policy.has_zones()) add("closed-inside", Zone::inside, "nothing in the configuration needs it");
    add("closed", Zone::any, "nothing in the configuration needs it");
}

// ---- One function a section.

void derive_fixed(const Config&, Policy& policy) {
    add_fixed(policy, Hook::input, "");
    add_refusals(policy, Hook::input, "");
    if (!policy.routes()) return;
    add_fixed(policy, Hook::forward, "through.");
    add_refusals(policy, Hook::forward, "through.");
}

void derive_bans(const Config& config, Policy& policy) {
    if (config.guard.always_ban.empty()) return;
    const auto never = values(config.guard.never_ban);
    policy.rules.push_back({.id = "guard.always_ban",
                            .stage = Stage::bans,
                            .action = Action::refuse,
                            .reason = "[guard] always_ban",
                            .place = config.guard.always_ban.front().place,
                            .from = values(config.guard.always_ban),
                            .except = never});
}

// Who may look after the machine: those named, else whoever comes from inside.
void admit_admins(Policy& policy, const config::Firewall& firewall, Rule rule) {
    if (!firewall.admin_from.empty()) {
        rule.from = values(firewall.admin_from);
    } else if (policy.has_zones()) {
        rule.zone = Zone::inside;
    } else {
        return;  // nobody is known to be an admin; concerns() says so
    }
    policy.rules.push_back(std::move(rule));
}

void derive_admin(const Config& config, Policy& policy) {
    if (!config.firewall.admin_ports.empty()) {
        admit_admins(policy, config.firewall,
                     {.id = "firewall.admin_ports",
                      .stage = Stage::admin,
                      .reason = "looking after this machine",
                      .place = config.firewall.admin_ports.front().place,
                      .transports = {Transport::tcp},
                      .ports = ranges(config.firewall.admin_ports)});
    }
    for (const auto& listen : config.admin.listen) {
        const SocketAddress& at = listen.value.address;
        if (at.ip.is_loopback()) continue;
        Rule rule{.id = "admin.listen",
                  .stage = Stage::admin,
                  .reason = "the gateway's admin page and API",
                  .place = listen.place,
                  .transports = {Transport::tcp},
                  .ports = {{at.port, at.port}}};
        if (!listen.value.dual_stack) rule.to = {Network(at.ip, at.ip.is_unspecified() ? 0 : 128)};
        admit_admins(policy, config.firewall, rule);
        if (config.admin.metrics_from.empty()) continue;
        rule.id = "admin.metrics_from";
        rule.reason = "metrics, for those in metrics_from";
        rule.from = values(config.admin.metrics_from);
        policy.rules.push_back(std::move(rule));
    }
}

bool is_served_by(const config::Service& service, const config::ListenKind& kind) {
    return !kind.protocol || *kind.protocol == service.protocol ||
           (service.protocol == config::Protocol::tls && kind.tls);
}

// "[listen] https: hq.example.com and 2 more names".
std::string served_by(const Config& config, const config::ListenKind& kind) {
    std::string first;
    std::size_t names = 0;
    for (const auto& service : config.services) {
        if (!is_served_by(service, kind)) continue;
        if (names == 0 && !service.names.empty()) first = service.names.front().value;
        names += service.names.size();
    }
    std::string out = "[listen] " + std::string(kind.key);
    if (names > 0) out += ": " + first;
    if (names > 1) out += " and " + std::to_string(names - 1) + (names == 2 ? " more name" : " more names");
    return out;
}

void derive_listen(const Config& config, Policy& policy) {
    for (const config::ListenKind& kind : config::listen_kinds) {
        for (const auto& listen : config.listen.*kind.addresses) {
            open_listener(policy, "listen." + std::string(kind.key), listen, {Transport::tcp}, served_by(config, kind));
        }
    }
}

void derive_services(const Config& config, Policy& policy) {
    for (const auto& service : config.services) {
        const std::string name = service.names.empty() ? "" : service.names.front().value;
        std::vector<PortRange> ports;
        for (const auto& port : {service.plain_port, service.tls_port}) {
            if (port) ports.push_back({*port, *port});
        }
        for (const auto& target : service.targets) {
            if (target.value.kind == config::Target::Kind::builtin) continue;
            const bool known = target.value.kind == config::Target::Kind::address;
            note_dialed(policy, "service.target",
                        known ? std::vector{Network(target.value.address, 128)} : std::vector<Network>{},
                        known ? "" : target.value.text, merged(ports), {Transport::tcp}, target.place,
                        "a target of " + name);
        }
    }
}

void derive_shared(const Config& config, Policy& policy) {
    if (config.shared.redis.value.empty()) return;
    const auto url = config::parse_redis_url(config.shared.redis.value);
    if (!url) return;  // the check of the configuration has refused it
    const auto ip = IpAddress::parse(url->host);
    if (ip && ip->is_loopback()) return;
    note_dialed(policy, "shared.redis", ip ? std::vector{Network(*ip, 128)} : std::vector<Network>{},
                ip ? "" : url->host, {{url->port, url->port}}, {Transport::tcp}, config.shared.redis.place,
                "bans shared with other gateways");
}

void derive_opens(const Config& config, Policy& policy) {
    for (const auto& open : config.firewall_opens) {
        policy.rules.push_back({.id = "firewall.open",
                                .stage = Stage::services,
                                .reason = open.name.value,
                                .place = open.place,
                                .transports = values(open.protocols),
                                .ports = ranges(open.ports),
                                .from = values(open.from)});
    }
}

void derive_fast_fail(const Config& config, Policy& policy) {
    if (config.firewall.fast_fail.empty()) return;
    const auto add = [&](Hook hook, std::string id) {
        policy.rules.push_back({.id = std::move(id),
                                .stage = Stage::fast_fail,
                                .hook = hook,
                                .action = Action::reset,
                                .reason = "whoever tries these goes on at once when refused",
                                .place = config.firewall.fast_fail.front().place,
                                .transports = {Transport::tcp},
                                .ports = ranges(config.firewall.fast_fail)});
    };
    add(Hook::input, "firewall.fast_fail");
    if (policy.routes()) add(Hook::forward, "through.firewall.fast_fail");
}

void derive_presets(const Config& config, Policy& policy) {
    for (const auto& preset : config.firewall.presets) {
        for (const PassageRule& passage : rules_of(preset.value)) {
            policy.rules.push_back({.id = "firewall.presets." + std::string(to_string(preset.value)),
                                    .stage = Stage::services,
                                    .hook = Hook::forward,
                                    .reason = std::string(passage.reason),
                                    .place = preset.place,
                                    .zone = Zone::inside,
                                    .to_zone = Zone::outside,
                                    .transports = {passage.transports.begin(), passage.transports.end()},
                                    .ports = {passage.ports.begin(), passage.ports.end()},
                                    .to = passage.to_apple ? config::apple_networks() : std::vector<Network>{}});
        }
    }
}

void derive_forwards(const Config& config, Policy& policy) {
    for (const auto& forward : config.firewall_forwards) {
        if (!forward.port) continue;
        const std::uint16_t port = *forward.port;
        const SocketAddress& to = forward.to.value;
        for (const Transport transport : values(forward.protocols)) {
            const std::string id = "firewall.forward." + std::string(to_string(transport)) + '.' + std::to_string(port);
            const std::string reason = "what the gateway does not speak, passed to " + to.to_string();
            policy.forwards.push_back({transport, port, to, id, reason, forward.place});
            policy.mappings.push_back({.transport = transport,
                                       .ports = {port, port},
                                       .v4 = to.ip.is_v4(),
                                       .v6 = !to.ip.is_v4(),
                                       .reason = reason});
            policy.rules.push_back({.id = id,
                                    .stage = Stage::services,
                                    .hook = Hook::forward,
                                    .reason = reason,
                                    .place = forward.place,
                                    .translated = true,
                                    .transports = {transport},
                                    .ports = {{to.port, to.port}},
                                    .to = {Network(to.ip, 128)}});
        }
    }
}

// IPv4 alone: IPv6 has no addresses to save, and pins or a pool are there for those who want them.
void derive_masquerade(const Config& config, Policy& policy) {
    policy.nat.masquerade = config.firewall.masquerade && policy.has_zones();
    policy.nat.ports = config.firewall.nat_ports.value;
}

constexpr Section all_sections[] = {
    {"firewall, masquerade", derive_masquerade},  // these three first: they decide whether the node routes
    {"egress", derive_egress},
    {"firewall.forward", derive_forwards},
    {"the beginning and the end", derive_fixed},
    {"guard", derive_bans},
    {"admin", derive_admin},
    {"listen", derive_listen},
    {"service", derive_services},
    {"shared", derive_shared},
    {"stun", derive_stun},
    {"turn", derive_turn},
    {"dns", derive_dns},
    {"push", derive_push},
    {"firewall.open", derive_opens},
    {"firewall, fast_fail", derive_fast_fail},
    {"firewall, presets", derive_presets},
};

// ---- What is done to all of them.

// Within a stage rules stay in the order of the sections.
void sort_by_stage(std::vector<Rule>& rules) {
    std::multimap<std::pair<Hook, Stage>, Rule> sorted;
    for (Rule& rule : rules) sorted.emplace(std::pair(rule.hook, rule.stage), std::move(rule));
    rules.clear();
    for (auto& [_, rule] : sorted) rules.push_back(std::move(rule));
}

// A counter has its rule's name, so no two rules may have the same.
void number_ids(std::vector<Rule>& rules) {
    std::map<std::string, unsigned, std::less<>> seen;
    for (Rule& rule : rules) {
        const unsigned count = ++seen[rule.id];
        if (count > 1) rule.id += '.' + std::to_string(count);
    }
}

// The outer router's table: every public address that is mapped to an own one that is listened on.
void settle_mappings(const Config& config, Policy& policy) {
    std::vector<PortMapping> settled;
    for (const PortMapping& mapping : policy.mappings) {
        bool mapped = false;
        for (const auto& nat : config.node.nat_map) {
            const bool served = nat.value.own.is_v4() ? mapping.v4 : mapping.v6;
            if (!served || (mapping.own && *mapping.own != nat.value.own)) continue;
            settled.push_back(mapping);
            settled.back().outside = nat.value.outside;
            settled.back().own = nat.value.own;
            mapped = true;
        }
        if (!mapped) settled.push_back(mapping);
    }
    policy.mappings = std::move(settled);
}

}  // namespace

std::span<const Section> sections() { return all_sections; }

Policy derive(const Config& config) {
    Policy policy;
    for (const auto& one : config.firewall.inside) policy.inside.push_back(one.value.name);
    for (const auto& one : config.firewall.outside) policy.outside.push_back(one.value.name);
    policy.deny_inside = config.firewall.deny_inside;
    policy.deny_outside = config.firewall.deny;
    policy.deny_rate = config.firewall.deny_rate;
    for (const Section& section : all_sections) section.derive(config, policy);
    sort_by_stage(policy.rules);
    if (policy.interception) {
        policy.interception->to = outermost(std::move(policy.interception->to));
        policy.interception->ports = merged(std::move(policy.interception->ports));
    }
    for (Rule& rule : policy.rules) {
        rule.from = outermost(std::move(rule.from));
        rule.except = outermost(std::move(rule.except));
        rule.to = outermost(std::move(rule.to));
        rule.ports = merged(std::move(rule.ports));
    }
    number_ids(policy.rules);
    settle_mappings(config, policy);
    return policy;
}

}  // namespace sallyport::firewall
