#include "gate/http/explain_http.hpp"

#include "gate/http/acme.hpp"
#include "gate/tls/pass_by_sni.hpp"

#include <memory>

namespace sallyport::gate::http {

namespace {

using telemetry::Reason;

}  // namespace

Reason reason_of(sallyport::http::HeadError error) {
    using sallyport::http::HeadError;
    switch (error) {
        case HeadError::tls_hello: return Reason::tls_on_plain_port;
        case HeadError::proxy_header: return Reason::proxy_untrusted;
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
    // As on a port with TLS: nobody here would see the request.
    if (tls && snapshot.find(config::Protocol::tls, head->authority.host()) != nullptr)
        return gate::tls::explain(snapshot, question, tls, head->authority.host(), explanation);
    const Ask ask{.protocol = config::Protocol::http,
                  .name = head->authority.host(),
                  .client = question.client,
                  .tls = tls,
                  .path = head->path,
                  .certificate = tls ? question.certificate : crypto::Verdict::none};
    const std::string_view token = challenge_token(head->path);
    const auto& challenges = snapshot.config().listen.acme_challenges;
    if (!token.empty() && !challenges.value.empty())
        explanation.trail.push_back({"acme_challenges", challenges.place, "asked first: " + std::string(token)});
    conclude(snapshot, question, ask, explanation);
}

}  // namespace sallyport::gate::http
