#include "admin/routes.hpp"

#include "admin/testing.hpp"
#include "base/text.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <set>

using namespace sallyport;
using namespace sallyport::admin;
using namespace sallyport::admin::testing;
using nlohmann::json;
using ::testing::HasSubstr;

namespace {

struct Routes : ::testing::Test {
    FakeControl control;
    Site site{.routes = routes(), .control = control};

    std::string told_root(const std::string& sent) const { return told(site, root, sent); }
    json json_from(const std::string& sent) const { return json::parse(body_of(told_root(sent)), nullptr, false); }
};

TEST_F(Routes, say_alive_whatever_the_gateway_does) {
    control.state = {Readiness::State::draining, "the gateway drains"};
    EXPECT_EQ(body_of(told_root(ask("GET", "/livez"))), "ok\n");
}

TEST_F(Routes, say_ready_only_when_it_is) {
    const struct {
        Readiness state;
        int status;
        std::string says;
    } cases[] = {
        {{Readiness::State::ready, ""}, 200, "ok\n"},
        {{Readiness::State::starting, "names wait for their first answer"}, 503, "\"detail\":\"names wait for"},
        {{Readiness::State::draining, "the gateway drains"}, 503, "\"reason\":\"draining\""},
    };
    for (const auto& row : cases) {
        control.state = row.state;
        const std::string got = told(site, from("192.0.2.1"), ask("GET", "/readyz"));
        EXPECT_EQ(status_of(got), row.status);
        EXPECT_THAT(got, HasSubstr(row.says));
    }
}

TEST_F(Routes, give_metrics_with_the_type_that_scrapers_expect) {
    const std::string got = told_root(ask("GET", "/metrics"));
    EXPECT_THAT(got, HasSubstr("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    EXPECT_EQ(body_of(got), "sallyport_connections 1\n");
}

TEST_F(Routes, pass_on_what_a_reload_came_to) {
    EXPECT_EQ(json_from(ask("POST", "/api/v1/reload")), (json{{"generation", 2}}));
    control.reloaded = fail(Problem{.status = 422, .detail = "2 errors", .more = {{"errors", {{{"line", 3}}}}}});
    const std::string got = told_root(ask("POST", "/api/v1/reload", "{}"));
    EXPECT_EQ(status_of(got), 422);
    EXPECT_EQ(json::parse(body_of(got))["errors"][0]["line"], 3);
    EXPECT_EQ(control.reloads, 2);
}

TEST_F(Routes, do_nothing_when_the_body_is_not_what_they_take) {
    const struct {
        std::string body, says;
    } cases[] = {
        {"{", "not valid JSON"},
        {"[]", "not a JSON object"},
        {"\xFF", "not valid JSON"},
        {std::string(100000, '['), "not valid JSON"},
        {R"({"dry_run":true})", "no setting \\\"dry_run\\\""},
    };
    for (const auto& row : cases) {
        for (const std::string path : {"/api/v1/reload", "/api/v1/drain"}) {
            const std::string got = told_root(ask("POST", path, row.body));
            EXPECT_EQ(status_of(got), 400) << path << row.body.substr(0, 20);
            EXPECT_THAT(got, HasSubstr(row.says));
        }
    }
    EXPECT_EQ(control.reloads + control.drains, 0);
}

TEST_F(Routes, begin_to_drain_when_asked) {
    const std::string got = told_root(ask("POST", "/api/v1/drain"));
    EXPECT_EQ(status_of(got), 202);
    EXPECT_EQ(control.drains, 1);
}

TEST_F(Routes, explain_what_they_are_asked) {
    const std::string target = "/api/v1/explain?subject=https%3A%2F%2Fhq.example.com%2F&client=192.0.2.1";
    EXPECT_EQ(json_from(ask("GET", target))["subject"], "https://hq.example.com/");
    EXPECT_EQ(control.explained.client, *IpAddress::parse("192.0.2.1"));
    EXPECT_FALSE(control.explained.tls);
    EXPECT_FALSE(control.explained.ask);
    told_root(ask("GET", target + "&tls=true&ask=true"));
    EXPECT_TRUE(control.explained.tls);
    EXPECT_TRUE(control.explained.ask);
    EXPECT_EQ(json_from(ask("GET", "/api/v1/explain?subject=%FF&client=::1"))["subject"], "\xEF\xBF\xBD");
}

TEST_F(Routes, say_what_is_wrong_with_a_question) {
    const struct {
        std::string query, says;
    } cases[] = {
        {"", "subject is missing"},
        {"?client=192.0.2.1", "subject is missing"},
        {"?subject=a", "client is \\\"\\\""},
        {"?subject=a&client=hq.example.com", "not an IP address"},
        {"?subject=a&client=::1&tls=yes", "tls is neither true nor false"},
        {"?subject=a&client=::1&ask=1", "ask is neither true nor false"},
        {"?subject=a&clinet=::1", "did you mean \\\"client\\\"?"},
        {"?subject=a&client=::1&client=::2", "twice"},
    };
    for (const auto& row : cases) {
        const std::string got = told_root(ask("GET", "/api/v1/explain" + row.query));
        EXPECT_EQ(status_of(got), 400) << row.query;
        EXPECT_THAT(got, HasSubstr(row.says));
    }
}

TEST_F(Routes, show_the_tcp_port_nothing_but_probes_and_metrics) {
    for (const Route& route : routes()) {
        const std::string sent = ask(std::string(route.method), std::string(route.path));
        const bool open = route.path == "/livez" || route.path == "/readyz";
        EXPECT_EQ(status_of(told(site, from("192.0.2.1"), sent)), open ? 200 : 404) << route.path;
        EXPECT_EQ(status_of(told(site, from("127.0.0.1"), sent)), open || route.path == "/metrics" ? 200 : 404)
            << route.path;
    }
    EXPECT_EQ(control.reloads + control.drains, 0);
}

// ---------------------------------------------------------------- docs/openapi.json

json openapi() {
    std::ifstream file(SALLYPORT_SOURCE_DIR "/docs/openapi.json");
    return json::parse(file);
}

TEST(OpenApi, describes_every_route_and_none_more) {
    std::set<std::string> served;
    for (const Route& route : routes()) served.insert(to_lower(route.method) + " " + std::string(route.path));
    std::set<std::string> described;
    for (const auto& [path, operations] : openapi()["paths"].items()) {
        for (const auto& [method, operation] : operations.items()) {
            described.insert(method + " " + path);
            EXPECT_NE(operation.value("summary", ""), "") << path;
            EXPECT_TRUE(operation.contains("responses")) << path;
        }
    }
    EXPECT_EQ(described, served);
}

TEST_F(Routes, pass_on_what_is_asked_about_connections_and_services) {
    told_root(ask("GET", "/api/v1/connections?service=hq.example.com&limit=7"));
    EXPECT_EQ(control.looked_at.service, "hq.example.com");
    EXPECT_EQ(control.looked_at.limit, 7U);
    told_root(ask("POST", "/api/v1/connections/kill", R"({"id":"0-12"})"));
    EXPECT_EQ(control.killed.id, "0-12");
    told_root(ask("POST", "/api/v1/services/state", R"({"service":"hq.example.com","state":"drain","target":"::1"})"));
    EXPECT_EQ(control.wished.service + ' ' + control.wished.target + ' ' + control.wished.state,
              "hq.example.com ::1 drain");
    told_root(
        ask("POST", "/api/v1/explain", R"({"subject":"https://a/","client":"::1","tls":true,"certificate":"x"})"));
    EXPECT_TRUE(control.explained.tls);
    EXPECT_EQ(control.explained.certificate, "x");
}

TEST_F(Routes, pass_on_what_is_wanted_of_the_guard) {
    told_root(ask("POST", "/api/v1/bans", R"({"address":"203.0.113.9","for":"1h","reason":"scans"})"));
    EXPECT_EQ(control.banned.who.to_string(), "203.0.113.9/32");
    EXPECT_FALSE(control.banned.allow);
    EXPECT_EQ(control.banned.lasts + ' ' + control.banned.reason, "1h scans");
    told_root(ask("POST", "/api/v1/bans", R"({"address":"2001:db8::/32","verdict":"allow"})"));
    EXPECT_TRUE(control.banned.allow);
    told_root(ask("POST", "/api/v1/bans/remove", R"({"address":"::ffff:203.0.113.7"})"));
    EXPECT_EQ(control.banned.who.to_string(), "203.0.113.7/32");
    for (const std::string path : {"/api/v1/bans", "/api/v1/bans/top"})
        EXPECT_EQ(status_of(told_root(ask("GET", path))), 200) << path;
}

TEST_F(Routes, pass_on_whose_source_address_is_pinned) {
    told_root(ask("POST", "/api/v1/egress/pins", R"({"user":"alice","source":"192.0.2.17"})"));
    EXPECT_EQ(control.pinned.kind + ' ' + control.pinned.who + ' ' + control.pinned.source.to_string(),
              "user alice 192.0.2.17");
    EXPECT_EQ(status_of(told_root(ask("POST", "/api/v1/egress/pins/remove", R"({"mac":"x","source":"::1"})"))), 404);
    for (const std::string path : {"/api/v1/egress", "/api/v1/egress/whois?address=10.1.2.3", "/api/v1/push/devices"})
        EXPECT_EQ(status_of(told_root(ask("GET", path))), 200) << path;
    EXPECT_EQ(status_of(told_root(ask("GET", "/api/v1/egress/whois?address=alice"))), 400);
}

TEST_F(Routes, list_the_sessions_of_turn) {
    EXPECT_EQ(status_of(told_root(ask("GET", "/api/v1/turn/sessions"))), 200);
    EXPECT_EQ(control.sessions_limit, 1000U);
    told_root(ask("GET", "/api/v1/turn/sessions?limit=7"));
    EXPECT_EQ(control.sessions_limit, 7U);
    EXPECT_EQ(status_of(told_root(ask("GET", "/api/v1/turn/sessions?limit=some"))), 400);
}

TEST_F(Routes, say_what_is_wrong_with_an_order) {
    const struct {
        std::string path, body, says;
    } cases[] = {
        {"/api/v1/connections/kill", "{}", "Either id or service"},
        {"/api/v1/connections/kill", R"({"id":"1","service":"a"})", "Either id or service"},
        {"/api/v1/connections/kill", R"({"id":["1"]})", "neither a text"},
        {"/api/v1/services/state", R"({"sevrice":"a"})", "did you mean \\\"service\\\"?"},
        {"/api/v1/bans", R"({"address":"203.0.113.9:5060"})", "neither an IP address nor a network"},
        {"/api/v1/bans", R"({"address":"fe80::1%eth0"})", "neither an IP address nor a network"},
        {"/api/v1/bans", R"({"address":"[::1]"})", "neither an IP address nor a network"},
        {"/api/v1/bans", R"({"address":"example.com"})", "neither an IP address nor a network"},
        {"/api/v1/bans", R"({"address":"::1","verdict":"both"})", "neither ban nor allow"},
        {"/api/v1/bans/remove", "{}", "address is \\\"\\\""},
        {"/api/v1/egress/pins", R"({"source":"::1"})", "whose pin?"},
        {"/api/v1/egress/pins", R"({"user":"a","mac":"b","source":"::1"})", "a pin is for one"},
        {"/api/v1/egress/pins", R"({"user":"a","source":"b"})", "which is not an IP address"},
    };
    for (const auto& row : cases) {
        const std::string got = told_root(ask("POST", row.path, row.body));
        EXPECT_EQ(status_of(got), 400) << row.body;
        EXPECT_THAT(got, HasSubstr(row.says));
    }
    EXPECT_EQ(status_of(told_root(ask("GET", "/api/v1/connections?limit=many"))), 400);
}

// In the query of a GET, in the object that a POST sends.
std::set<std::string> described_parameters(const json& document, const json& operation) {
    std::set<std::string> names;
    for (const json& parameter : operation.value("parameters", json::array())) names.insert(parameter["name"]);
    if (!operation.contains("requestBody") || operation["requestBody"].contains("$ref")) return names;
    const json& schema = operation["requestBody"]["content"]["application/json"]["schema"];
    const std::string reference = schema.value("$ref", "");
    const json& object = reference.empty() ? schema : document.at(json::json_pointer(reference.substr(1)));
    for (const auto& [name, value] : object["properties"].items()) names.insert(name);
    return names;
}

TEST(OpenApi, names_what_each_route_may_be_asked_with) {
    const json document = openapi();
    for (const auto& [path, methods] : document["paths"].items()) {
        for (const auto& [method, operation] : methods.items()) {
            const auto known = parameters_of(operation["operationId"].get<std::string>());
            EXPECT_EQ(described_parameters(document, operation), std::set<std::string>(known.begin(), known.end()))
                << method << ' ' << path;
        }
    }
}

// Every "$ref" of the document leads somewhere in it.
void expect_references_to_lead_somewhere(const json& document, const json& part) {
    for (const auto& [key, value] : part.items()) {
        if (key == "$ref") {
            const auto reference = value.get<std::string>();
            ASSERT_TRUE(reference.starts_with("#/")) << reference;
            EXPECT_TRUE(document.contains(json::json_pointer(reference.substr(1)))) << reference;
        } else if (value.is_structured()) {
            expect_references_to_lead_somewhere(document, value);
        }
    }
}

TEST(OpenApi, holds_together) {
    const json document = openapi();
    EXPECT_EQ(document["openapi"], "3.1.0");
    EXPECT_EQ(document["info"]["version"], SALLYPORT_VERSION);
    expect_references_to_lead_somewhere(document, document);
}

}  // namespace
