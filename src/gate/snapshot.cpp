#include "gate/snapshot.hpp"

#include "base/text.hpp"
#include "gate/http/url_rules.hpp"
#include "gate/targets/state.hpp"

#include <algorithm>

namespace sallyport::gate {

namespace {

// Looking for the nearest name is for typing errors; against thousands of names it would be work for an attacker to
// order.
constexpr std::size_t most_names_compared = 2000;

}  // namespace

std::string Service::label() const {
    return "service." + name + "." + std::string(config::to_string(settings->protocol));
}

bool Service::is_named(std::string_view one) const {
    return std::ranges::any_of(settings->names, [one](const auto& known) { return known.value == one; });
}

Snapshot::Snapshot(config::Config config, StateBook& book) : config_(std::move(config)) {
    for (const auto& settings : config_.services) add(settings, book);
    for (const auto& network : config_.listen.trusted_proxies) trusted_proxies_.add(network.value);
    for (const auto& network : config_.listen.proxy_from) proxy_from_.add(network.value);
    book.forget_gone();
}

void Snapshot::add(const config::Service& settings, StateBook& book) {
    Service& service = services_.emplace_back();
    service.index = services_.size() - 1;
    service.settings = &settings;
    service.name = settings.names.front().value;
    service.state = book.service(settings);
    for (const auto& target : settings.targets) service.targets.push_back(book.target(settings, target.value));
    for (std::size_t i = 0; i < settings.allow_from.size(); ++i)
        service.allow_from.add(settings.allow_from[i].value, i);
    for (const auto& rule : settings.allow_url) {
        service.url_rules.push_back(rule.value);
        service.url_origins.push_back({"allow_url " + rule.value, rule.place});
    }
    for (const auto& name : settings.presets) {
        const http::Preset* preset = http::find_preset(name.value);
        if (preset == nullptr) continue;  // the check of the configuration has refused it
        for (const auto rule : preset->rules) {
            service.url_rules.emplace_back(rule);
            service.url_origins.push_back({"preset " + name.value + " " + std::string(rule), name.place});
        }
    }
    Names& names = names_[static_cast<std::size_t>(settings.protocol)];
    for (const auto& name : settings.names) {
        const bool wildcard = name.value.starts_with("*.");
        (wildcard ? names.wildcards : names.exact).try_emplace(wildcard ? name.value.substr(1) : name.value, &service);
    }
    any_certificate_wanted_ |= settings.client_certificate != config::ClientCertificate::none;
    names.checks_certificates |= settings.check_certificate;
    if (settings.is_default && names.fallback == nullptr) names.fallback = &service;
}

std::uint16_t Snapshot::https_port() const {
    for (const auto* addresses : {&config_.listen.https, &config_.listen.mux}) {
        if (!addresses->empty()) return addresses->front().value.address.port;
    }
    return 443;
}

const Service* Snapshot::find(config::Protocol protocol, std::string_view name) const {
    const Names& names = names_of(protocol);
    if (const auto exact = names.exact.find(name); exact != names.exact.end()) return exact->second;
    for (auto dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.', dot + 1)) {
        const auto wildcard = names.wildcards.find(name.substr(dot));
        if (wildcard != names.wildcards.end() && dot > 0) return wildcard->second;
    }
    return nullptr;
}

const Service* Snapshot::default_of(config::Protocol protocol) const { return names_of(protocol).fallback; }

bool Snapshot::asks_for_certificate(std::string_view server_name) const {
    if (server_name.empty() || !any_certificate_wanted_) return any_certificate_wanted_;
    const Service* service = choose(config::Protocol::http, server_name);
    return service != nullptr && service->settings->client_certificate != config::ClientCertificate::none;
}

std::string_view Snapshot::nearest_name(config::Protocol protocol, std::string_view name) const {
    const Names& names = names_of(protocol);
    if (names.exact.size() > most_names_compared) return {};
    std::vector<std::string_view> known;
    known.reserve(names.exact.size());
    for (const auto& [text, service] : names.exact) known.push_back(text);
    return nearest(name, known);
}

}  // namespace sallyport::gate
