#include "admin/routes.hpp"

#include "base/text.hpp"
#include "telemetry/metrics.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace sallyport::admin {

namespace {

using nlohmann::json;
using telemetry::Reason;

constexpr std::string_view explain_names[] = {"subject", "client", "tls", "certificate", "ask"};
constexpr std::string_view connections_names[] = {"service", "limit"};
constexpr std::string_view sessions_names[] = {"limit"};
constexpr std::string_view kill_names[] = {"id", "service"};
constexpr std::string_view state_names[] = {"service", "protocol", "target", "state"};

constexpr std::string_view ban_names[] = {"address", "verdict", "for", "reason"};
constexpr std::string_view remove_names[] = {"address"};

constexpr std::string_view whois_names[] = {"address"};
constexpr std::string_view pin_names[] = {"client", "network", "mac", "user", "source"};

struct Operation {
    std::string_view name;  // operationId in docs/openapi.json
    std::span<const std::string_view> parameters;
};
constexpr Operation operations[] = {
    {"explain", explain_names},
    {"explainWithCertificate", explain_names},
    {"connections", connections_names},
    {"turnSessions", sessions_names},
    {"killConnections", kill_names},
    {"setState", state_names},
    {"setBan", ban_names},
    {"removeBan", remove_names},
    {"whois", whois_names},
    {"setPin", pin_names},
    {"removePin", pin_names},
};

Response answer_of(const Result<json, Problem>& result) {
    return result ? json_response(*result) : problem_response(result.error());
}

// Values of JSON as a query would carry them.
Result<Query> read_body(const std::string& body) {
    Query out;
    if (body.empty()) return out;
    const json object = json::parse(body, nullptr, false);
    if (object.is_discarded()) return fail("the body is not valid JSON");
    if (!object.is_object()) return fail("the body is not a JSON object");
    for (const auto& [name, value] : object.items()) {
        if (value.is_structured()) return fail("\"" + name + "\" is neither a text, a number nor a boolean");
        out[name] = value.is_string() ? value.get<std::string>() : value.dump();
    }
    return out;
}

/// What a request asks, by name. One that is unknown is refused: a caller who believes in it would be wrong.
Result<Query> asked(const Request& request, std::string_view operation = {}) {
    auto given = request.method == "POST" ? read_body(request.body) : Result<Query>(request.query);
    if (!given) return given;
    const auto known = parameters_of(operation);
    for (const auto& [name, value] : *given) {
        if (std::ranges::find(known, name) != known.end()) continue;
        const std::string_view meant = nearest(name, known);
        const std::string hint = meant.empty() ? "" : "; did you mean \"" + std::string(meant) + "\"?";
        return fail("there is no setting \"" + name + "\" here" + hint);
    }
    return given;
}

Response bad_request(const Error& error) { return problem_response({.status = 400, .detail = error.message}); }

std::string value_of(const Query& query, std::string_view name) {
    const auto found = query.find(name);
    return found == query.end() ? std::string() : found->second;
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
    if (const auto query = asked(request); !query) co_return bad_request(query.error());
    co_return answer_of(co_await control.reload());
}

io::Task<Response> drain(Control& control, const Request& request) {
    if (const auto query = asked(request); !query) co_return bad_request(query.error());
    control.drain();
    co_return json_response({{"draining", true}}, 202);
}

Result<ExplainQuery> read_explain(const Query& query) {
    const std::string subject = value_of(query, "subject");
    if (subject.empty()) return fail("subject is missing: what to explain, \"https://hq.example.com/\" for one");
    const std::string client = value_of(query, "client");
    const auto address = IpAddress::parse(client);
    if (!address) return fail("client is \"" + client + "\", which is not an IP address");
    for (const std::string_view name : {"tls", "ask"}) {
        const std::string value = value_of(query, name);
        if (!value.empty() && value != "true" && value != "false")
            return fail(std::string(name) + " is neither true nor false");
    }
    return ExplainQuery{.subject = subject,
                        .client = *address,
                        .tls = value_of(query, "tls") == "true",
                        .certificate = value_of(query, "certificate"),
                        .ask = value_of(query, "ask") == "true"};
}

io::Task<Response> explain(Control& control, const Request& request) {
    const auto given = asked(request, "explain");
    if (!given) co_return bad_request(given.error());
    const auto query = read_explain(*given);
    if (!query) co_return bad_request(query.error());
    co_return answer_of(co_await control.explain(*query));
}

// How many of a list are wanted.
Result<std::size_t> limit_of(const Query& given) {
    const std::string limit = value_of(given, "limit");
    if (limit.empty()) return ConnectionsQuery{}.limit;
    const auto number = parse_number<std::uint32_t>(limit);
    if (!number) return fail("limit is not a number");
    return *number;
}

io::Task<Response> connections(Control& control, const Request& request) {
    const auto given = asked(request, "connections");
    if (!given) co_return bad_request(given.error());
    const auto limit = limit_of(*given);
    if (!limit) co_return bad_request(limit.error());
    ConnectionsQuery query{.service = value_of(*given, "service"), .limit = *limit};
    co_return json_response(co_await control.connections(std::move(query)));
}

io::Task<Response> kill(Control& control, const Request& request) {
    const auto given = asked(request, "killConnections");
    if (!given) co_return bad_request(given.error());
    KillQuery query{.id = value_of(*given, "id"), .service = value_of(*given, "service")};
    if (query.id.empty() == query.service.empty())
        co_return problem_response({.status = 400, .detail = "which one? Either id or service says it"});
    co_return answer_of(co_await control.kill(std::move(query)));
}

io::Task<Response> services(Control& control, const Request&) { co_return json_response(control.services()); }

io::Task<Response> set_state(Control& control, const Request& request) {
    const auto given = asked(request, "setState");
    if (!given) co_return bad_request(given.error());
    co_return answer_of(control.set_state({.service = value_of(*given, "service"),
                                           .protocol = value_of(*given, "protocol"),
                                           .target = value_of(*given, "target"),
                                           .state = value_of(*given, "state")}));
}

io::Task<Response> bans(Control& control, const Request&) { co_return json_response(control.bans()); }

io::Task<Response> suspects(Control& control, const Request&) { co_return json_response(control.suspects()); }

Result<BanQuery> read_ban(const Query& query) {
    const std::string address = value_of(query, "address");
    const auto who = Network::parse(address);
    if (!who) return fail("address is \"" + address + "\", which is neither an IP address nor a network");
    const std::string verdict = value_of(query, "verdict");
    if (!verdict.empty() && verdict != "ban" && verdict != "allow") return fail("verdict is neither ban nor allow");
    return BanQuery{
        .who = *who, .allow = verdict == "allow", .lasts = value_of(query, "for"), .reason = value_of(query, "reason")};
}

io::Task<Response> set_ban(Control& control, const Request& request) {
    const auto given = asked(request, "setBan");
    if (!given) co_return bad_request(given.error());
    const auto query = read_ban(*given);
    co_return query ? answer_of(control.set_ban(*query)) : bad_request(query.error());
}

io::Task<Response> remove_ban(Control& control, const Request& request) {
    const auto given = asked(request, "removeBan");
    if (!given) co_return bad_request(given.error());
    const auto query = read_ban(*given);
    co_return query ? answer_of(control.remove_ban(*query)) : bad_request(query.error());
}

io::Task<Response> egress(Control& control, const Request&) { co_return json_response(control.egress()); }

io::Task<Response> whois(Control& control, const Request& request) {
    const auto given = asked(request, "whois");
    if (!given) co_return bad_request(given.error());
    const std::string text = value_of(*given, "address");
    const auto address = IpAddress::parse(text);
    if (!address)
        co_return problem_response(
            {.status = 400, .detail = "address is \"" + text + "\", which is not an IP address"});
    co_return answer_of(control.whois(*address));
}

Result<PinQuery> read_pin(const Query& query) {
    PinQuery pin;
    for (const std::string_view kind : {"client", "network", "mac", "user"}) {
        const std::string who = value_of(query, kind);
        if (who.empty()) continue;
        if (!pin.kind.empty()) return fail("a pin is for one: either " + pin.kind + " or " + std::string(kind));
        pin.kind = kind;
        pin.who = who;
    }
    if (pin.kind.empty()) return fail("whose pin? One of client, network, mac and user says it");
    const std::string source = value_of(query, "source");
    const auto address = IpAddress::parse(source);
    if (!address) return fail("source is \"" + source + "\", which is not an IP address");
    pin.source = *address;
    return pin;
}

io::Task<Response> set_pin(Control& control, const Request& request) {
    const auto given = asked(request, "setPin");
    if (!given) co_return bad_request(given.error());
    const auto query = read_pin(*given);
    co_return query ? answer_of(control.set_pin(*query)) : bad_request(query.error());
}

io::Task<Response> remove_pin(Control& control, const Request& request) {
    const auto given = asked(request, "removePin");
    if (!given) co_return bad_request(given.error());
    const auto query = read_pin(*given);
    co_return query ? answer_of(control.remove_pin(*query)) : bad_request(query.error());
}

io::Task<Response> push_devices(Control& control, const Request&) {
    co_return json_response(co_await control.push_devices());
}

io::Task<Response> turn_sessions(Control& control, const Request& request) {
    const auto given = asked(request, "turnSessions");
    if (!given) co_return bad_request(given.error());
    const auto limit = limit_of(*given);
    if (!limit) co_return bad_request(limit.error());
    co_return json_response(co_await control.turn_sessions(*limit));
}

constexpr Route table[] = {
    {"GET", "/livez", Access::anyone, livez},
    {"GET", "/readyz", Access::anyone, readyz},
    {"GET", "/metrics", Access::metrics, metrics},
    {"GET", "/api/v1/status", Access::trusted, status},
    {"POST", "/api/v1/reload", Access::trusted, reload},
    {"POST", "/api/v1/drain", Access::trusted, drain},
    {"GET", "/api/v1/explain", Access::trusted, explain},
    {"POST", "/api/v1/explain", Access::trusted, explain},
    {"GET", "/api/v1/connections", Access::trusted, connections},
    {"POST", "/api/v1/connections/kill", Access::trusted, kill},
    {"GET", "/api/v1/services", Access::trusted, services},
    {"POST", "/api/v1/services/state", Access::trusted, set_state},
    {"GET", "/api/v1/bans", Access::trusted, bans},
    {"POST", "/api/v1/bans", Access::trusted, set_ban},
    {"POST", "/api/v1/bans/remove", Access::trusted, remove_ban},
    {"GET", "/api/v1/bans/top", Access::trusted, suspects},
    {"GET", "/api/v1/egress", Access::trusted, egress},
    {"GET", "/api/v1/egress/whois", Access::trusted, whois},
    {"POST", "/api/v1/egress/pins", Access::trusted, set_pin},
    {"POST", "/api/v1/egress/pins/remove", Access::trusted, remove_pin},
    {"GET", "/api/v1/push/devices", Access::trusted, push_devices},
    {"GET", "/api/v1/turn/sessions", Access::trusted, turn_sessions},
};

}  // namespace

std::span<const Route> routes() { return table; }

std::span<const std::string_view> parameters_of(std::string_view operation) {
    const auto* known = std::ranges::find(operations, operation, &Operation::name);
    return known == std::end(operations) ? std::span<const std::string_view>{} : known->parameters;
}

}  // namespace sallyport::admin
