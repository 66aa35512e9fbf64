#include "gate/http/explain_http.hpp"

#include <memory>

namespace sallyport::gate::http {

namespace {

using telemetry::Reason;

std::string target_text(const Decision& decision) {
    const config::Target& target = decision.service->settings->targets.front().value;
    if (target.kind == config::Target::Kind::builtin) return "builtin:" + target.text;
    if (target.kind == config::Target::Kind::address) return SocketAddress{target.address, decision.port}.to_string();
    return target.text + ":" + std::to_string(decision.port);
}

}  // namespace

Reason reason_of(sallyport::http::HeadError error) {
    using sallyport::http::HeadError;
    switch (error) {
        case HeadError::tls_hello: return Reason::tls_on_plain_port;
        case HeadError::http2_preface:
        case HeadError::connect:
        case HeadError::unsupported_version: return Reason::protocol_unsupported;
        case HeadError::too_many_fields: return Reason::peek_too_large;
        default: return Reason::peek_malformed;
    }
}

void explain(const Snapshot& snapshot, const Question& question, bool tls, std::string_view rest,
             Explanation& explanation) {
    explanation.protocol = "http";
    // The request that a browser would send for this URL, through the same parser as live traffic.
    const auto slash = rest.find_first_of("/?#");
    const std::string_view authority = rest.substr(0, slash);
    std::string_view path = slash == std::string_view::npos ? "/" : rest.substr(slash);
    path = path.substr(0, path.find('#'));
    const std::string request = "GET " + std::string(path.starts_with('/') ? "" : "/") + std::string(path) +
                                " HTTP/1.1\r\nHost: " + std::string(authority) + "\r\n\r\n";
    const auto head = std::make_unique<sallyport::http::RequestHead>();
    const auto result = parse_request(as_bytes(request), *head);
    if (!result.complete() || result.length != request.size()) {
        explanation.reason = result.refused() ? reason_of(result.error) : Reason::peek_malformed;
        explanation.detail = result.refused() ? text(result.error) : "not one request";
        return;
    }
    const Ask ask{.protocol = config::Protocol::http,
                  .name = head->authority.host(),
                  .client = question.client,
                  .tls = tls,
                  .path = head->path};
    const Decision decision = decide(snapshot, ask, &explanation.trail);
    explanation.looked_for = ask.name;
    explanation.reason = decision.reason;
    if (decision.service != nullptr) explanation.service = decision.service->name;
    if (decision.reason == Reason::service_unknown) explanation.nearest = snapshot.nearest_name(ask.protocol, ask.name);
    if (!decision.admitted()) return;
    explanation.target = target_text(decision);
    if (decision.port != 0) explanation.leg = decision.leg_tls ? "tls" : "plain";
}

}  // namespace sallyport::gate::http
