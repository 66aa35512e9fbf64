#include "gate/router.hpp"

#include "config/load.hpp"
#include "gate/explain.hpp"
#include "gate/http/url_rules.hpp"
#include "gate/targets/state.hpp"

#include <gtest/gtest.h>

#include <vector>

using namespace sallyport;
using namespace sallyport::gate;

namespace {

constexpr std::string_view configuration = R"(
[node]
name = "edge"

[listen]
http = ":8080"
https = ":8443"

[[service]]
name = ["hq.example.com", "www.example.com"]
protocol = "http"
target = ["172.16.0.10"]
plain_port = 80
tls_port = 443
allow_url = ["/PBX0/MY", "/apps/"]
preset = ["soap"]

[[service]]
name = "*.example.com"
protocol = "http"
target = ["172.16.0.11"]
tls_port = 8443

[[service]]
name = "*.deep.example.com"
protocol = "http"
target = ["172.16.0.12"]
plain_port = 8080

[[service]]
name = "inside.example.net"
protocol = "http"
target = ["172.16.0.13"]
plain_port = 80
allow_from = ["10.0.0.0/8", "2001:db8::/32"]
)";

Snapshot snapshot_of(std::string text) {
    std::vector<std::string_view> presets;
    for (const auto& preset : http::presets()) presets.push_back(preset.name);
    auto loaded = config::load_text("test.toml", text, presets);
    for (const auto& error : loaded.errors) ADD_FAILURE() << to_text(error, "error");
    StateBook states;
    return Snapshot(std::move(*loaded.config), states);
}

struct Case {
    const char* what;
    const char* name;
    const char* client;
    bool tls;
    const char* path;
    const char* answer;
};

std::string say(const Decision& decision) {
    if (!decision.admitted()) return "! " + std::string(telemetry::code(decision.reason));
    const auto& target = decision.service->settings->targets.front().value;
    return target.text + ":" + std::to_string(decision.port) + (decision.leg_tls ? " tls" : " plain");
}

}  // namespace

TEST(Router, DecidesByNameClientPathAndLeg) {
    const Snapshot snapshot = snapshot_of(std::string(configuration));
    const Case cases[] = {
        {"both ports: plain stays plain", "hq.example.com", "203.0.113.5", false, "/PBX0/MY", "172.16.0.10:80 plain"},
        {"both ports: TLS stays TLS", "hq.example.com", "203.0.113.5", true, "/PBX0/MY", "172.16.0.10:443 tls"},
        {"a second name of the same service", "www.example.com", "203.0.113.5", false, "/PBX0/MY",
         "172.16.0.10:80 plain"},
        {"one port: always that, from plain", "shop.example.com", "203.0.113.5", false, "/", "172.16.0.11:8443 tls"},
        {"one port: always that, from TLS", "a.deep.example.com", "203.0.113.5", true, "/", "172.16.0.12:8080 plain"},
        {"the longest wildcard wins", "x.deep.example.com", "203.0.113.5", false, "/", "172.16.0.12:8080 plain"},
        {"a wildcard holds deeper names too", "a.b.example.com", "203.0.113.5", false, "/", "172.16.0.11:8443 tls"},
        {"a wildcard does not hold its own domain", "example.com", "203.0.113.5", false, "/", "! service.unknown"},
        {"head match admits what follows", "hq.example.com", "203.0.113.5", false, "/PBX0/MYX/y",
         "172.16.0.10:80 plain"},
        {"a rule that ends in / admits no further /", "hq.example.com", "203.0.113.5", false, "/apps/a/b",
         "! url.not_allowed"},
        {"but one segment", "hq.example.com", "203.0.113.5", false, "/apps/a", "172.16.0.10:80 plain"},
        {"a preset's rule", "hq.example.com", "203.0.113.5", false, "/PBX0/user.soap", "172.16.0.10:80 plain"},
        {"URLs are case-sensitive", "hq.example.com", "203.0.113.5", false, "/pbx0/my", "! url.not_allowed"},
        {"a path with two readings", "hq.example.com", "203.0.113.5", false, "/PBX0/MY/../ADMIN", "! url.ambiguous"},
        {"no rules, no ambiguity to fear", "shop.example.com", "203.0.113.5", false, "/a/../b", "172.16.0.11:8443 tls"},
        {"a client inside", "inside.example.net", "10.9.9.9", false, "/", "172.16.0.13:80 plain"},
        {"a client inside by IPv6", "inside.example.net", "2001:db8::5", false, "/", "172.16.0.13:80 plain"},
        {"a client outside", "inside.example.net", "203.0.113.5", false, "/", "! acl.denied"},
        {"an unknown name", "nowhere.example.org", "203.0.113.5", false, "/", "! service.unknown"},
        {"no name at all", "", "203.0.113.5", false, "/", "! service.no_name"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.what);
        const Ask ask{.name = c.name, .client = *IpAddress::parse(c.client), .tls = c.tls, .path = c.path};
        Trail trail;
        EXPECT_EQ(say(decide(snapshot, ask)), c.answer);
        EXPECT_EQ(say(decide(snapshot, ask, &trail)), c.answer) << "a trail must not change the decision";
        EXPECT_FALSE(trail.empty());
    }
}

TEST(Router, AServiceMarkedDefaultTakesWhatNoNameFits) {
    const Snapshot snapshot = snapshot_of(std::string(configuration) + R"(
[[service]]
name = "fallback.example.net"
protocol = "http"
target = ["172.16.0.99"]
plain_port = 80
default = true
)");
    for (const char* name : {"", "nowhere.example.org"}) {
        EXPECT_EQ(say(decide(snapshot, {.name = name, .client = {}, .path = "/"})), "172.16.0.99:80 plain") << name;
    }
}

TEST(Router, TheTrailNamesEachRuleWithItsPlace) {
    const Snapshot snapshot = snapshot_of(std::string(configuration));
    const auto explanation =
        explain(snapshot, {"https://HQ.example.com./PBX0/ADMIN?x=1", *IpAddress::parse("203.0.113.5")});
    ASSERT_TRUE(explanation);
    EXPECT_EQ(explanation->reason, telemetry::Reason::url_not_allowed);
    EXPECT_EQ(explanation->looked_for, "hq.example.com");
    ASSERT_GE(explanation->trail.size(), 4U);
    EXPECT_EQ(explanation->trail[0].rule, "service.hq.example.com.http");
    EXPECT_EQ(explanation->trail[0].place.line, 9U);
    EXPECT_EQ(explanation->trail[2].rule, "allow_url /PBX0/MY");
    EXPECT_EQ(explanation->trail[2].place.line, 15U);
    EXPECT_EQ(explanation->trail[2].result, "no match");
}

TEST(Explain, UsesTheParserOfLiveTraffic) {
    const Snapshot snapshot = snapshot_of(std::string(configuration));
    const auto client = *IpAddress::parse("203.0.113.5");
    struct Subject {
        const char* subject;
        const char* reason;
    };
    const Subject subjects[] = {
        {"http://hq.example.com/PBX0/MY", "ok"},
        {"http://hq.exmaple.com/", "service.unknown"},
        {"http://user@hq.example.com/", "peek.malformed"},
        {"http://hq.example.com/a b", "peek.malformed"},
        {"http://hq.example.com/x\r\nHost: other.example.com", "peek.malformed"},
        {"http:///", "peek.malformed"},
    };
    for (const auto& [subject, reason] : subjects) {
        const auto explanation = explain(snapshot, {subject, client});
        ASSERT_TRUE(explanation) << subject;
        EXPECT_EQ(telemetry::code(explanation->reason), std::string_view(reason)) << subject;
    }
    EXPECT_EQ(explain(snapshot, {"http://hq.exmaple.com/", client})->nearest, "hq.example.com");
    EXPECT_FALSE(explain(snapshot, {"gopher://hq.example.com/", client}));
}

TEST(Snapshot, RedirectsToThePortThatSpeaksHttps) {
    struct Case {
        const char* listen;
        std::uint16_t port;
    };
    for (const Case& c : {Case{"http = \":80\"", 443}, Case{"https = \":8443\"", 8443}, Case{"mux = \":9443\"", 9443},
                          Case{"https = \":8443\"\nmux = \":9443\"", 8443}}) {
        EXPECT_EQ(snapshot_of("[listen]\n" + std::string(c.listen)).https_port(), c.port) << c.listen;
    }
}

TEST(Explain, KnowsThatTlsOfSomeNamesPassesUnopened) {
    const Snapshot snapshot = snapshot_of(std::string(configuration) + R"(
[[service]]
name = "update.example.com"
protocol = "tls"
target = ["172.16.0.30"]
tls_port = 443
)");
    const auto explained = [&snapshot](const char* subject) {
        return explain(snapshot, {.subject = subject, .client = *IpAddress::parse("10.1.2.3")}).value();
    };
    EXPECT_EQ(explained("https://update.example.com/").leg, "unopened");
    EXPECT_EQ(explained("https://update.example.com/").protocol, "tls");
    EXPECT_EQ(explained("http://update.example.com/").service, "*.example.com") << "that comes without TLS";
}

TEST(Router, ATlsServiceIsPassedOnUnopenedToItsPort) {
    const Snapshot snapshot = snapshot_of(std::string(configuration) + R"(
[[service]]
name = "update.example.com"
protocol = "tls"
target = ["172.16.0.30"]
tls_port = 443
allow_from = ["10.0.0.0/8"]
)");
    const auto inside = *IpAddress::parse("10.1.1.1");
    const Ask ask{
        .protocol = config::Protocol::tls, .name = "update.example.com", .client = inside, .tls = true, .path = {}};
    EXPECT_EQ(say(decide(snapshot, ask)), "172.16.0.30:443 plain") << "the gateway itself opens no TLS there";
    const auto explained = explain(snapshot, {"tls:Update.Example.com.", inside});
    ASSERT_TRUE(explained);
    EXPECT_EQ(explained->target, "172.16.0.30:443");
    EXPECT_EQ(explained->leg, "unopened");
    EXPECT_EQ(telemetry::code(explain(snapshot, {"tls:update.example.com", *IpAddress::parse("203.0.113.5")})->reason),
              "acl.denied");
    // The name of a tls service is no http service, and the other way round.
    EXPECT_EQ(
        say(decide(
            snapshot,
            {.protocol = config::Protocol::tls, .name = "hq.example.com", .client = inside, .tls = true, .path = {}})),
        "! service.unknown");
}
