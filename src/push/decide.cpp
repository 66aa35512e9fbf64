#include "push/decide.hpp"

#include <algorithm>

namespace sallyport::push {

namespace {

using telemetry::Reason;

constexpr std::uint16_t https = 443;
constexpr std::uint16_t legacy_first = 2195;  // the binary protocol of old senders, and its feedback service
constexpr std::uint16_t legacy_last = 2196;

Decision refused(std::string detail, Reason reason = Reason::push_not_apple) {
    return {.reason = reason, .detail = std::move(detail)};
}

bool speaks_push(const tls::ClientHello& hello) {
    return std::ranges::any_of(hello.protocols, [](const std::string& one) { return one.starts_with("apns-"); });
}

// A courier by the address that was asked for, else by what this client asked DNS for, else the same one for this
// client always: any of a family will do.
std::uint16_t number_for(const Policy& policy, const Ask& ask, PushFamily family) {
    if (const auto number = policy.vips.number_at(ask.to.ip)) return *number;
    if (ask.asked && ask.asked->family == family) return ask.asked->number;
    return static_cast<std::uint16_t>(1 + ask.client_hash % couriers_of_family);
}

// Old senders say no name: what they want is what they asked DNS for.
Decision decide_unnamed(const Policy& policy, const Ask& ask, std::uint16_t port) {
    if (port < legacy_first || port > legacy_last) return refused("the ClientHello names nobody");
    if (!policy.providers) return refused("senders are not served: providers is false");
    const auto provider = policy.vips.provider_at(ask.to.ip);
    if (!provider) return refused("the ClientHello names nobody, nor does the address");
    return {.host = std::string(host_of(*provider)), .port = port};
}

Decision decide_host(const Policy& policy, const Ask& ask, std::uint16_t port) {
    const tls::ClientHello& hello = *ask.hello;
    const bool push = speaks_push(hello);
    const std::string& name = hello.server_name;
    if (name.empty() && !push) return decide_unnamed(policy, ask, port);
    if (const auto provider = provider_of(name)) {
        if (!policy.providers) return refused("senders are not served: providers is false");
        return {.host = std::string(host_of(*provider)), .port = port};
    }
    const auto family = name.empty() ? std::optional(PushFamily::courier) : family_of(name);
    if (!family) return refused("\"" + name + "\" is no name of the push service");
    if (!policy.families.contains(*family))
        return refused("the family " + std::string(config::to_string(*family)) + " is not in families");
    // 443 is everybody's port: there the protocol must say so too.
    if (port == https && !push) return refused("the ClientHello offers no protocol of the push service");
    return {.host = Courier{*family, number_for(policy, ask, *family)}.host(), .port = port};
}

}  // namespace

bool Policy::serves(std::uint16_t port) const { return std::ranges::find(ports, port) != ports.end(); }

bool Policy::allows(const IpAddress& to) const {
    if (vips.contains(to)) return false;
    return std::ranges::any_of(allow_to, [&](const Network& network) { return network.contains(to); });
}

Decision decide(const Policy& policy, const Ask& ask) {
    const std::uint16_t port = ask.original ? ask.original->port : ask.to.port;
    if (!policy.serves(port)) return refused("port " + std::to_string(port) + " is not in ports");
    if (ask.original && !policy.allows(ask.original->ip))
        return refused(ask.original->ip.to_string() + " is not in allow_to");
    if (!ask.hello) return refused("the first bytes are no ClientHello", Reason::peek_malformed);
    Decision decision = decide_host(policy, ask, port);
    if (decision.admitted() && ask.original) decision.address = ask.original->ip;
    return decision;
}

}  // namespace sallyport::push
