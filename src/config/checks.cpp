#include "config/checks.hpp"

#include "base/text.hpp"
#include "config/first_places.hpp"
#include "config/names.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace sallyport::config {

namespace {

const GivenKey* find(const GivenKeys& given, std::string_view key) {
    const auto at = std::ranges::find(given, key, [](const GivenKey& one) { return one.row->key; });
    return at == given.end() ? nullptr : &*at;
}

// ---- One service.

void check_protocol_of_keys(const Service& service, const GivenKeys& given, Findings& findings) {
    for (const GivenKey& one : given) {
        const unsigned protocols = one.row->limits.protocols;
        if (protocols == 0 || (protocols & bit(service.protocol)) != 0) continue;
        findings.error(one.place, {std::string(one.row->key) + ": protocol " + quote(to_string(service.protocol)) +
                                   " knows no such key"});
    }
}

void settle_names(Service& service, Findings& findings) {
    for (auto& name : service.names) {
        auto complaint = check_service_name(service.protocol, name.value);
        if (complaint)
            findings.error(name.place, {"name: " + quote(name.value) + ": " + complaint->message, complaint->hint});
        else
            name.value = canonical_service_name(service.protocol, name.value);
    }
}

void check_urls(const Service& service, std::span<const std::string_view> presets, Findings& findings) {
    for (const auto& rule : service.allow_url) {
        if (!rule.value.ends_with('/')) continue;
        const auto shorter = std::string_view(rule.value).substr(0, rule.value.size() - 1);
        const auto below = shorter.empty() ? std::string("remove allow_url to admit every path")
                                           : quote(shorter) + " admits all that begins so";
        findings.warning(
            rule.place,
            {"allow_url: " + quote(rule.value) + " admits no further \"/\" after it, unlike nginx's locations", below});
    }
    for (const auto& preset : service.presets) {
        if (auto found = find_word(preset.value, presets); !found) {
            findings.error(preset.place, {"preset: " + found.error().message, found.error().hint});
        }
    }
}

void check_targets(const Service& service, Findings& findings) {
    if (service.targets.size() > most_targets) {
        findings.error(service.targets[most_targets].place,
                       {"target: more than " + std::to_string(most_targets) + " targets for one service"});
    }
    FirstPlaces seen;
    for (const auto& target : service.targets) {
        if (const auto* first = seen.before(target.value.text, target.place)) {
            findings.error(target.place,
                           {"target: " + quote(target.value.text) + " stands twice", "first at " + where(*first)});
        }
    }
}

void check_builtin(const Service& service, const GivenKeys& given, const Located<Target>& target, Findings& findings) {
    if (service.protocol != Protocol::http) findings.error(target.place, {"target: what is built in speaks http only"});
    if (service.targets.size() > 1) findings.error(target.place, {"target: what is built in stands alone"});
    for (const std::string_view key : {"plain_port", "tls_port"}) {
        if (const auto* port = find(given, key)) {
            findings.error(port->place, {std::string(key) + ": the target is built in and has no port", "remove it"});
        }
    }
}

// A service is reached by the encryption that it came with where both ports are given, else by that of the one port.
void check_ports(const Service& service, const GivenKeys& given, Findings& findings) {
    const auto* plain = find(given, "plain_port");
    const auto* tls = find(given, "tls_port");
    if (service.protocol == Protocol::tls && plain) {
        findings.error(plain->place,
                       {"plain_port: protocol \"tls\" is passed through as it is, there is no plain side"});
    }
    if (service.protocol == Protocol::tls && !tls) {
        findings.error(service.place, {"[[service]] has no \"tls_port\"", "protocol \"tls\" needs the target's port"});
    } else if (!plain && !tls) {
        findings.error(service.place, {"[[service]] has neither \"plain_port\" nor \"tls_port\"",
                                       "both: encryption stays as it came; one: everything goes to that port"});
    }
    if (const auto* health = find(given, "health"); health && service.health.kind == HealthCheck::Kind::tls && !tls) {
        findings.error(health->place, {"health: \"tls\" needs tls_port", "\"tcp\" tries plain_port"});
    }
    const auto* check = find(given, "check_certificate");
    if (check && service.check_certificate && !(plain && tls)) {
        findings.error(check->place, {"check_certificate: needs both plain_port and tls_port",
                                      "a valid certificate goes to the one, everything else to the other"});
    }
    if (tls) return;
    for (const std::string_view key : {"target_ca", "target_verify", "target_certificate"}) {
        if (const auto* one = find(given, key))
            findings.warning(one->place, {std::string(key) + ": has no effect without tls_port"});
    }
}

// ---- Between tables.

void check_certificate_names(const Config& config, Findings& findings) {
    FirstPlaces seen;
    for (const Certificate& certificate : config.certificates) {
        const auto& name = certificate.name;
        if (name.value.empty()) continue;  // unreadable, and said so
        if (const auto* first = seen.before(name.value, name.place)) {
            findings.error(name.place,
                           {"name: certificate " + quote(name.value) + " stands twice", "first at " + where(*first)});
        }
    }
}

void check_service_names(const Config& config, Findings& findings) {
    FirstPlaces seen;
    FirstPlaces defaults;
    for (const Service& service : config.services) {
        const std::string protocol(to_string(service.protocol));
        for (const auto& name : service.names) {
            if (const auto* first = seen.before(protocol + ' ' + name.value, name.place)) {
                findings.error(name.place,
                               {"name: " + quote(name.value) + " stands twice for protocol " + quote(protocol),
                                "first at " + where(*first)});
            }
        }
        if (!service.is_default) continue;
        if (const auto* first = defaults.before(protocol, service.place)) {
            findings.error(service.place, {"a second service is the default for protocol " + quote(protocol),
                                           "the first stands at " + where(*first)});
        }
    }
}

struct Claim {
    std::string_view who;
    const Located<ListenAddress>* at;
};

void check_claims(const std::vector<Claim>& claims, Findings& findings) {
    std::multimap<std::uint16_t, Claim> by_port;
    for (const Claim& claim : claims) {
        const auto [begin, end] = by_port.equal_range(claim.at->value.address.port);
        const auto taken =
            std::find_if(begin, end, [&](const auto& held) { return overlap(held.second.at->value, claim.at->value); });
        if (taken == end) {
            by_port.emplace(claim.at->value.address.port, claim);
            continue;
        }
        const Claim& holder = taken->second;
        findings.error(claim.at->place,
                       {std::string(claim.who) + ": " + quote(claim.at->value.to_string()) + " is taken by " +
                            std::string(holder.who) + ' ' + quote(holder.at->value.to_string()),
                        "at " + where(holder.at->place) + ": a port has one use"});
    }
}

// Relays over TCP share their port with whoever of this program shares it too: one could take a listener's connections.
void check_relay_ports(const std::vector<Claim>& claims, const PortRange& range, Findings& findings) {
    for (const Claim& claim : claims) {
        const std::uint16_t port = claim.at->value.address.port;
        if (port < range.first || port > range.last) continue;
        findings.error(claim.at->place, {std::string(claim.who) + ": " + quote(claim.at->value.to_string()) +
                                             " is a port of relay_ports",
                                         "with tcp_relays a client could get its connections: take another port"});
    }
}

void check_listeners(const Config& config, Findings& findings) {
    std::vector<Claim> claims;
    for (const ListenKind& kind : listen_kinds) {
        for (const auto& address : config.listen.*kind.addresses) claims.push_back({kind.key, &address});
    }
    for (const auto& address : config.dns.listen) claims.push_back({"[dns] listen", &address});
    for (const auto& address : config.turn.tcp) claims.push_back({"[turn] tcp", &address});
    for (const auto& address : config.turn.tls) claims.push_back({"[turn] tls", &address});
    for (const auto& address : config.admin.listen) claims.push_back({"[admin] listen", &address});
    check_claims(claims, findings);
    if (config.turn.tcp_relays.value) check_relay_ports(claims, config.turn.relay_ports.value, findings);

    if (!config.listen.https.empty() && config.certificates.empty()) {
        findings.warning(config.listen.https.front().place,
                         {"https: there is no [[certificate]]: a self-signed one is made at the first start",
                          "browsers will warn; for a real one write [[certificate]] with chain and key"});
    }
}

bool reachable(const Listen& listen, Protocol protocol) {
    return std::ranges::any_of(listen_kinds, [&](const ListenKind& kind) {
        const bool fits = !kind.protocol || kind.protocol == protocol || (protocol == Protocol::tls && kind.tls);
        return fits && !(listen.*kind.addresses).empty();
    });
}

void check_reach(const Config& config, Findings& findings) {
    for (const Service& service : config.services) {
        if (reachable(config.listen, service.protocol)) continue;
        findings.warning(service.place, {"nobody can reach this service: [listen] serves no port for protocol " +
                                         quote(to_string(service.protocol))});
    }
}

void check_target_certificate(const Config& config, const Located<std::string>& wanted, Findings& findings) {
    if (wanted.value.empty()) return;
    std::vector<std::string_view> known;
    for (const Certificate& one : config.certificates) known.push_back(one.name.value);
    if (std::ranges::find(known, wanted.value) != known.end()) return;
    const std::string_view near = nearest(wanted.value, known);
    findings.error(wanted.place, {"target_certificate: no [[certificate]] is named " + quote(wanted.value),
                                  near.empty() ? "it takes the name of a [[certificate]], not a file's"
                                               : "did you mean " + quote(near) + "?"});
}

// A port for all protocols speaks both ways.
bool speaks(const Listen& listen, Protocol protocol, bool tls) {
    return std::ranges::any_of(listen_kinds, [&](const ListenKind& kind) {
        const bool fits = !kind.protocol || (kind.protocol == protocol && kind.tls == tls);
        return fits && !(listen.*kind.addresses).empty();
    });
}

std::string_view tls_key_of(Protocol protocol) {
    const auto at = std::ranges::find_if(
        listen_kinds, [protocol](const ListenKind& kind) { return kind.protocol == protocol && kind.tls; });
    return at == listen_kinds.end() ? std::string_view("mux") : at->key;
}

void check_shown_certificates(const Config& config, const Service& service, Findings& findings) {
    const bool asks = service.client_certificate != ClientCertificate::none;
    if (!asks && !service.check_certificate) return;
    const std::string key = asks ? "client_certificate" : "check_certificate";
    if (config.trust.ca.empty()) {
        findings.error(service.place, {key + ": there is no [trust] to hold certificates against",
                                       "write [trust] with ca, the certificates of the authorities that you trust"});
    }
    const bool needed = service.client_certificate == ClientCertificate::required || service.check_certificate;
    if (needed && !speaks(config.listen, service.protocol, true)) {
        findings.warning(service.place, {key + ": [listen] has no " + std::string(tls_key_of(service.protocol)) +
                                         ", so nobody can show one"});
    }
}

// What a service needs from another table.
void check_references(const Config& config, Findings& findings) {
    const bool plain = speaks(config.listen, Protocol::http, false);
    const bool tls = speaks(config.listen, Protocol::http, true);
    for (const Service& service : config.services) {
        check_target_certificate(config, service.target_certificate, findings);
        check_shown_certificates(config, service, findings);
        if (service.redirect_to_https && !(plain && tls)) {
            findings.warning(service.place,
                             {std::string("redirect_to_https: [listen] has no ") + (tls ? "http" : "https"),
                              tls ? "nothing comes that could be redirected" : "a redirect would lead nowhere"});
        }
    }
}

bool holds(const Network& outer, const Network& inner) {
    return outer.mapped_bits() <= inner.mapped_bits() && outer.contains(inner.address());
}

void check_guard(const Guard& guard, Findings& findings) {
    for (const auto& banned : guard.always_ban) {
        const auto never =
            std::ranges::find_if(guard.never_ban, [&](const auto& one) { return holds(one.value, banned.value); });
        if (never != guard.never_ban.end()) {
            findings.error(banned.place, {"always_ban: " + quote(banned.value.to_string()) + " is never banned by " +
                                              quote(never->value.to_string()),
                                          "at " + where(never->place) + ": remove it from one of the two"});
        } else if (banned.value.bits() == 0) {
            findings.warning(banned.place, {"always_ban: " + quote(banned.value.to_string()) + " is everybody",
                                            "to serve few, use allow_from of their services"});
        }
    }
    for (const auto& never : guard.never_ban) {
        if (never.value.bits() == 0)
            findings.warning(never.place, {"never_ban: " + quote(never.value.to_string()) +
                                           " is everybody: nobody is "
                                           "ever banned"});
    }
}

}  // namespace

void finish_service(Service& service, const GivenKeys& given, std::span<const std::string_view> presets,
                    Findings& findings) {
    const auto* protocol = find(given, "protocol");
    if (!protocol || !protocol->readable) return;  // which rules hold is not known, and that was said
    check_protocol_of_keys(service, given, findings);
    settle_names(service, findings);
    check_urls(service, presets, findings);
    check_targets(service, findings);
    const auto builtin =
        std::ranges::find(service.targets, Target::Kind::builtin, [](const auto& target) { return target.value.kind; });
    if (builtin != service.targets.end())
        check_builtin(service, given, *builtin, findings);
    else
        check_ports(service, given, findings);
}

void check_all(const Config& config, Findings& findings) {
    check_certificate_names(config, findings);
    check_service_names(config, findings);
    check_listeners(config, findings);
    check_reach(config, findings);
    check_references(config, findings);
    check_guard(config.guard, findings);
}

}  // namespace sallyport::config
