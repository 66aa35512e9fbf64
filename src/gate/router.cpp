#include "gate/router.hpp"

#include "gate/http/url_rules.hpp"

namespace sallyport::gate {

namespace {

using telemetry::Reason;

void note(Trail* trail, std::string rule, const config::Place& place, std::string result) {
    if (trail != nullptr) trail->push_back({std::move(rule), place, std::move(result)});
}

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

Decision find_service(const Snapshot& snapshot, const Ask& ask, Trail* trail) {
    const std::string_view protocol = config::to_string(ask.protocol);
    if (!ask.name.empty()) {
        if (const Service* found = snapshot.find(ask.protocol, ask.name)) {
            if (trail != nullptr) note(trail, found->label(), found->settings->place, "match");
            return {.service = found};
        }
        if (trail != nullptr)
            note(trail, "services of " + std::string(protocol), {}, "none is named " + quoted(ask.name));
    } else if (trail != nullptr) {
        note(trail, "services of " + std::string(protocol), {}, "no name was given");
    }
    if (const Service* fallback = snapshot.default_of(ask.protocol)) {
        if (trail != nullptr) note(trail, fallback->label() + " (default = true)", fallback->settings->place, "match");
        return {.service = fallback};
    }
    return {.reason = ask.name.empty() ? Reason::service_no_name : Reason::service_unknown};
}

bool client_admitted(const Service& service, const IpAddress& client, Trail* trail) {
    if (service.allow_from.empty()) {
        if (trail != nullptr) note(trail, "allow_from", service.settings->place, "not set: anyone");
        return true;
    }
    const std::size_t* entry = service.allow_from.find(client);
    if (trail == nullptr) return entry != nullptr;
    if (entry != nullptr) {
        const auto& network = service.settings->allow_from[*entry];
        note(trail, "allow_from " + network.value.to_string(), network.place, "match");
        return true;
    }
    for (const auto& network : service.settings->allow_from) {
        note(trail, "allow_from " + network.value.to_string(), network.place, "no match");
    }
    return false;
}

Reason url_admitted(const Service& service, std::string_view path, Trail* trail) {
    if (service.url_rules.empty()) return Reason::ok;
    if (http::is_ambiguous(path)) {
        if (trail != nullptr)
            note(trail, "plain path", service.settings->place, quoted(path) + " can be read in two ways");
        return Reason::url_ambiguous;
    }
    const auto admitting = http::admitting_rule(service.url_rules, path);
    if (trail != nullptr) {
        for (std::size_t i = 0; i < service.url_rules.size() && (!admitting || i <= *admitting); ++i) {
            note(trail, service.url_origins[i].text, service.url_origins[i].place,
                 admitting == i ? "match" : "no match");
        }
    }
    return admitting ? Reason::ok : Reason::url_not_allowed;
}

// A TLS connection is for the service whose name it was opened by: what that one asks of a client's certificate was
// settled in the handshake (RFC 9110 section 15.5.20).
bool rightly_directed(const Snapshot& snapshot, const Ask& ask, const Service& chosen, Trail* trail) {
    if (ask.server_name.empty() || ask.server_name == ask.name) return true;
    const bool agree = snapshot.choose(ask.protocol, ask.server_name) == &chosen;
    if (trail != nullptr && !agree)
        note(trail, "server name " + quoted(ask.server_name), {}, "the handshake was for another service");
    return agree;
}

std::string_view verdict_words(crypto::Verdict verdict) {
    constexpr std::string_view words[] = {"none was shown", "match", "expired", "not trusted"};
    static_assert(static_cast<int>(crypto::Verdict::untrusted) == 3);
    return words[static_cast<std::size_t>(verdict)];
}

Reason certificate_admitted(const Service& service, const Ask& ask, Trail* trail) {
    using Verdict = crypto::Verdict;
    constexpr Reason reasons[] = {Reason::cert_missing, Reason::ok, Reason::cert_expired, Reason::cert_untrusted};
    static_assert(static_cast<int>(Verdict::untrusted) == 3);
    const config::ClientCertificate wanted = service.settings->client_certificate;
    if (wanted == config::ClientCertificate::none) return Reason::ok;
    const auto verdict = static_cast<std::size_t>(ask.certificate);
    if (trail != nullptr) {
        note(trail, "client_certificate = " + quoted(config::to_string(wanted)), service.settings->place,
             std::string(verdict_words(ask.certificate)));
    }
    return wanted == config::ClientCertificate::required ? reasons[verdict] : Reason::ok;
}

bool redirected(const Service& service, const Ask& ask, Trail* trail) {
    if (!service.settings->redirect_to_https || ask.tls) return false;
    if (trail != nullptr) note(trail, "redirect_to_https", service.settings->place, "it came without TLS");
    return true;
}

// A redirect needs a name to lead to. A request of HTTP/1.0 may have none, and a wildcard is none.
Reason redirect_reason(const Service& service, const Ask& ask) {
    return ask.name.empty() && service.name.starts_with("*.") ? Reason::service_no_name : Reason::service_redirected;
}

// The target takes the TLS leg for the word of a certificate: none but those whose holder registers under its name come
// by it.
bool certificate_checked(const Service& service, const Ask& ask, Trail* trail) {
    const bool trusted = ask.tls && ask.certificate == crypto::Verdict::trusted;
    if (trail != nullptr) {
        const std::string_view result = !ask.tls                ? "it came without TLS"
                                        : !trusted              ? verdict_words(ask.certificate)
                                        : !ask.certificate_fits ? "for another name than the registered one"
                                                                : "match";
        note(trail, "check_certificate", service.settings->place, std::string(result));
    }
    return trusted && ask.certificate_fits;
}

// Both ports: encryption as it came, or as it was asked for. One port: always that.
void choose_leg(Decision& decision, const Ask& ask, Trail* trail) {
    const config::Service& settings = *decision.service->settings;
    if (settings.protocol == config::Protocol::tls) {
        decision.port = *settings.tls_port;
        return note(trail, "tls_port", settings.place, std::to_string(decision.port) + ", unopened");
    }
    if (settings.targets.front().value.kind == config::Target::Kind::builtin) return;
    const bool checks = settings.check_certificate;
    const bool encrypts = checks ? certificate_checked(*decision.service, ask, trail) : ask.tls || ask.secure;
    decision.leg_tls = settings.tls_port && (encrypts || !settings.plain_port);
    decision.port = decision.leg_tls ? *settings.tls_port : settings.plain_port.value_or(0);
    if (trail == nullptr) return;
    const bool both = settings.tls_port && settings.plain_port;
    const std::string_view why = checks                   ? ", by check_certificate"
                                 : !both                  ? ", the only one"
                                 : ask.secure && !ask.tls ? ", as sips: asks for"
                                                          : ", encryption as it came";
    note(trail, decision.leg_tls ? "tls_port" : "plain_port", settings.place,
         std::to_string(decision.port) + std::string(why));
}

}  // namespace

Decision decide(const Snapshot& snapshot, const Ask& ask, Trail* trail) {
    Decision decision = find_service(snapshot, ask, trail);
    if (!decision.admitted()) return decision;
    const Service& service = *decision.service;
    if (!rightly_directed(snapshot, ask, service, trail))
        decision.reason = Reason::tls_misdirected;
    else if (!client_admitted(service, ask.client, trail))
        decision.reason = Reason::acl_denied;
    else if (redirected(service, ask, trail))
        decision.reason = redirect_reason(service, ask);
    else
        decision.reason = certificate_admitted(service, ask, trail);
    if (decision.admitted() && ask.path) decision.reason = url_admitted(service, *ask.path, trail);
    if (decision.admitted()) choose_leg(decision, ask, trail);
    return decision;
}

}  // namespace sallyport::gate
