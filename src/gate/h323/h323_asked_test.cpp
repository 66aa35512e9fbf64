#include "gate/h323/asked.hpp"
#include "gate/h323/h323_dialect.hpp"
#include "gate/testing.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sallyport::gate::h323 {
namespace {

using namespace sallyport::h323;

std::shared_ptr<const Snapshot> services(StateBook& book, const std::vector<std::string>& names,
                                         std::string_view of_default = "") {
    std::string text = "[listen]\nh323 = \":1720\"\n";
    for (const auto& name : names) {
        text +=
            "[[service]]\nname = \"" + name + "\"\nprotocol = \"h323\"\ntarget = \"192.0.2.1\"\nplain_port = 1720\n";
        if (name == of_default) text += "default = true\n";
    }
    return testing::snapshot_of(book, text)->routing;
}

std::string decided(const Snapshot& routing, const Asked& asked) {
    if (asked.malformed) return "! " + asked.why_none;
    const Decision decision =
        decide(routing, {.protocol = config::Protocol::h323, .name = name_of(asked, routing), .client = {}});
    return decision.admitted() ? decision.service->name : "- " + std::string(telemetry::code(decision.reason));
}

// The examples of how innovaphone's phones and gateways go together.
TEST(H323Asked, FindsTheServiceOfAGatekeeperId) {
    const std::vector<std::string> plain = {"innovaphone.com"};
    const std::vector<std::string> branch = {"innovaphone.com", "innovaphone.com/branch"};
    const std::vector<std::string> standby = {"innovaphone.com/hq", "innovaphone.com/hq-standby"};
    struct Case {
        std::string id;
        std::vector<std::string> services;
        std::string found;
    };
    const Case cases[] = {
        {"innovaphone.com", plain, "innovaphone.com"},
        {"innovaphone.com/branch", branch, "innovaphone.com/branch"},
        {"hq@innovaphone.com/branch", branch, "innovaphone.com/branch"},
        {"hq@innovaphone.com", branch, "innovaphone.com"},
        {"innovaphone.com/branch-b", branch, "- service.unknown"},
        {"innovaphone.com/hq", standby, "innovaphone.com/hq"},
        {"innovaphone.com/hq-standby", standby, "innovaphone.com/hq-standby"},
        {"innovaphone.com/hq:hq-standby", standby, "innovaphone.com/hq"},
        {"room1@innovaphone.com/hq:hq-standby", {"innovaphone.com/hq-standby"}, "innovaphone.com/hq-standby"},
        {"Innovaphone.COM/Branch", branch, "innovaphone.com/branch"},
        {"branch.innovaphone.com", plain, "- service.unknown"},
        {"innovaphone.com/branch", {"HQ@Innovaphone.com/Branch"}, "innovaphone.com/branch"},
        {"innovaphone.com/hq:hq-standby",
         {"innovaphone.com/hq", "innovaphone.com/hq:hq-standby"},
         "innovaphone.com/hq:hq-standby"},
        {"hq@", plain, "! a gatekeeper id without a domain"},
        {"a@b@innovaphone.com", plain, "! a gatekeeper id with more than one \"@\", or one behind its \"/\""},
    };
    for (const Case& c : cases) {
        StateBook book;
        EXPECT_EQ(decided(*services(book, c.services), asked_by_gatekeeper_id(c.id)), c.found) << c.id;
    }
}

Heard registration(std::optional<std::string> id, std::vector<Alias> aliases) {
    Heard heard;
    heard.information = UserInformation{};
    RasMessage& ras = heard.ras.emplace_back();
    ras.kind = ras::registration_request;
    ras.gatekeeper_identifier = std::move(id);
    ras.aliases = std::move(aliases);
    return heard;
}

TEST(H323Asked, GoesByTheDomainOfAnAliasWhereNoGatekeeperIsNamed) {
    StateBook book;
    const auto routing = services(book, {"example.com", "other.example"});
    const Alias digits{AliasKind::dialled_digits, "4711"};
    const Alias url{AliasKind::url_id, "phone2@example.com"};
    EXPECT_EQ(decided(*routing, read_asked(registration({}, {digits, url}))), "example.com");
    EXPECT_EQ(read_asked(registration({}, {digits, url})).said, "phone2@example.com");
    EXPECT_EQ(decided(*routing, read_asked(registration({}, {digits}))), "- service.no_name");
    EXPECT_EQ(read_asked(registration({}, {digits})).said, "4711");
    EXPECT_EQ(decided(*routing, read_asked(registration({}, {}))), "- service.no_name");
    EXPECT_EQ(decided(*routing, read_asked(registration("other.example", {url}))), "other.example");
    EXPECT_EQ(decided(*routing, read_asked(registration("unknown.example", {url}))), "- service.unknown")
        << "a name is not replaced by another one";
}

TEST(H323Asked, GoesToTheDefaultServiceWhereNothingIsNamed) {
    StateBook book;
    const auto routing = services(book, {"example.com", "any"}, "any");
    EXPECT_EQ(decided(*routing, read_asked(registration({}, {}))), "any");
    EXPECT_EQ(decided(*routing, read_asked(Heard{})), "any") << "a Status, say";
    Heard unreadable = registration("example.com", {});
    unreadable.fault = "terminalAlias: too many elements";
    EXPECT_EQ(decided(*routing, read_asked(unreadable)), "! terminalAlias: too many elements");
}

Explanation explained(const Snapshot& routing, std::string subject) {
    auto out = explain(routing, {.subject = std::move(subject), .client = *IpAddress::parse("192.0.2.9")});
    EXPECT_TRUE(out);
    return out ? *out : Explanation{};
}

TEST(H323Explain, DecidesAsLiveTrafficIsDecided) {
    StateBook book;
    const auto routing = services(book, {"example.com", "example.com/branch"});
    struct Case {
        std::string subject, looked_for, service;
        telemetry::Reason reason;
    };
    using telemetry::Reason;
    const Case cases[] = {
        {"h323:hq@example.com/branch", "example.com/branch", "example.com/branch", Reason::ok},
        {"h323s:Example.com", "example.com", "example.com", Reason::ok},
        {"h323:bob@example.com?call", "example.com", "example.com", Reason::ok},
        {"H323:example.com/brunch", "example.com/brunch", "", Reason::service_unknown},
        {"h323:4711?call", "4711", "", Reason::service_no_name},
        {"h323:", "", "", Reason::service_no_name},
        {"h323:example.com/", "example.com/", "", Reason::peek_malformed},
    };
    for (const Case& c : cases) {
        const Explanation out = explained(*routing, c.subject);
        EXPECT_EQ(out.protocol, "h323") << c.subject;
        EXPECT_EQ(out.looked_for, c.looked_for) << c.subject;
        EXPECT_EQ(out.service, c.service) << c.subject;
        EXPECT_EQ(telemetry::code(out.reason), telemetry::code(c.reason)) << c.subject;
    }
    EXPECT_EQ(explained(*routing, "h323:example.com/brunch").nearest, "example.com/branch");
}

}  // namespace
}  // namespace sallyport::gate::h323
