#include "admin/routes.hpp"

#include "base/text.hpp"
#include "telemetry/metrics.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace sallyport::admin {

namespace {

using nlohmann::json;
using telemetry::Reason;

constexpr std::array<std::string_view, 3> explain_names = {"subject", "client", "tls"};

Response answer_of(const Result<json, Problem>& result) {
    return result ? json_response(*result) : problem_response(result.error());
}

/// The writing routes take no settings yet. One that is given is refused: a caller who believes in it would be wrong.
std::optional<Problem> unknown_settings(const Request& request) {
    if (request.body.empty()) return std::nullopt;
    const json body = json::parse(request.body, nullptr, false);
    if (body.is_discarded()) return Problem{.status = 400, .detail = "the body is not valid JSON"};
    if (!body.is_object()) return Problem{.status = 400, .detail = "the body is not a JSON object"};
    if (body.empty()) return std::nullopt;
    return Problem{.status = 400, .detail = "there is no setting \"" + body.begin().key() + "\" here"};
}

// ---------------------------------------------------------------- probes

io::Task<Response> livez(Control&, const Request&) { co_return text_response("ok\n"); }

io::Task<Response> readyz(Control& control, const Request&) {
    const Readiness readiness = control.readiness();
    if (readiness.state == Readiness::State::ready) co_return text_response("ok\n");
    Problem problem{.status = 503, .detail = readiness.detail};
    if (readiness.state == Readiness::State::draining) problem.reason = Reason::draining;
    co_return problem_response(problem);
}

io::Task<Response> metrics(Control& control, const Request&) {
    co_return text_response(control.metrics(), telemetry::metrics_media_type);
}

// ---------------------------------------------------------------- the API

io::Task<Response> status(Control& control, const Request&) { co_return json_response(control.status()); }

io::Task<Response> reload(Control& control, const Request& request) {
    if (const auto problem = unknown_settings(request)) co_return problem_response(*problem);
    co_return answer_of(co_await control.reload());
}

io::Task<Response> drain(Control& control, const Request& request) {
    if (const auto problem = unknown_settings(request)) co_return problem_response(*problem);
    control.drain();
    co_return json_response({{"draining", true}}, 202);
}

std::string value_of(const Query& query, std::string_view name) {
    const auto found = query.find(name);
    return found == query.end() ? std::string() : found->second;
}

Result<ExplainQuery> read_explain(const Query& query) {
    for (const auto& [name, value] : query) {
        if (std::ranges::find(explain_names, name) != explain_names.end()) continue;
        const std::string_view meant = nearest(name, explain_names);
        const std::string hint = meant.empty() ? "" : "; did you mean \"" + std::string(meant) + "\"?";
        return fail("explain takes no \"" + name + "\"" + hint);
    }
    const std::string subject = value_of(query, "subject");
    if (subject.empty()) return fail("subject is missing: what to explain, \"https://hq.example.com/\" for one");
    const std::string client = value_of(query, "client");
    const auto address = IpAddress::parse(client);
    if (!address) return fail("client is \"" + client + "\", which is not an IP address");
    const std::string tls = value_of(query, "tls");
    if (!tls.empty() && tls != "true" && tls != "false") return fail("tls is neither true nor false");
    return ExplainQuery{.subject = subject, .client = *address, .tls = tls == "true"};
}

io::Task<Response> explain(Control& control, const Request& request) {
    const auto query = read_explain(request.query);
    if (!query) co_return problem_response({.status = 400, .detail = query.error().message});
    co_return answer_of(control.explain(*query));
}

constexpr Route table[] = {
    {"GET", "/livez", Access::anyone, livez},
    {"GET", "/readyz", Access::anyone, readyz},
    {"GET", "/metrics", Access::metrics, metrics},
    {"GET", "/api/v1/status", Access::trusted, status},
    {"POST", "/api/v1/reload", Access::trusted, reload},
    {"POST", "/api/v1/drain", Access::trusted, drain},
    {"GET", "/api/v1/explain", Access::trusted, explain},
};

}  // namespace

std::span<const Route> routes() { return table; }

std::span<const std::string_view> explain_parameters() { return explain_names; }

}  // namespace sallyport::admin
