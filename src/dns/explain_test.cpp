#include "dns/explain.hpp"

#include "dns/answers_testing.hpp"
#include "dns/testing.hpp"

#include <gtest/gtest.h>

namespace sallyport::dns {
namespace {

TEST(DnsExplain, SaysWhatAClientWouldBeToldAndWhy) {
    struct Case {
        std::string_view subject, client, reason, view, answer;
    };
    const Case cases[] = {
        {"HQ.example.com", "10.2.0.7", "ok", "branch", "NOERROR A 10.2.0.10"},
        {"hq.example.com?aaaa", "10.2.0.7", "ok", "branch", "NOERROR AAAA fd00::10"},
        {"hq.example.com?HTTPS", "10.2.0.7", "ok", "branch", "NOERROR, no data"},
        {"10.0.16.172.in-addr.arpa?PTR", "10.1.0.7", "ok", "", "NOERROR PTR hq.example.com"},
        {"x.ads.example", "10.1.0.7", "dns.denied", "", "NXDOMAIN"},
        {"hq.example.com", "192.0.2.7", "dns.refused", "", "REFUSED"},
        {"example.net?MX", "10.1.0.7", "ok", "", "what 192.0.2.53 answers"},
    };
    const Zones zones(testing::office(), testing::seed);
    for (const Case& c : cases) {
        SCOPED_TRACE(c.subject);
        const auto explained = explain(zones, c.subject, *IpAddress::parse(c.client), nullptr);
        ASSERT_TRUE(explained);
        EXPECT_EQ(code(explained->reason), c.reason);
        EXPECT_EQ(explained->view, c.view);
        EXPECT_EQ(explained->answer, c.answer);
        EXPECT_FALSE(explained->trail.empty());
    }
    EXPECT_TRUE(explain(zones, "example.net", *IpAddress::parse("10.1.0.7"), nullptr)->passed_on);
    EXPECT_FALSE(explain(zones, "hq.example.com", *IpAddress::parse("10.1.0.7"), nullptr)->passed_on);
    EXPECT_FALSE(explain(zones, "a..b", *IpAddress::parse("10.1.0.7"), nullptr));
    EXPECT_FALSE(explain(zones, "a.b?NOTYPE", *IpAddress::parse("10.1.0.7"), nullptr));
}

TEST(DnsExplain, TellsAllThatANameHas) {
    config::Config config = testing::office();
    config::DnsRecord large = testing::record("large.example.com", {});
    for (std::uint32_t i = 0; i < 300; ++i) large.addresses.push_back({IpAddress::v4(0xAC100000U + i), {}});
    config.dns_records.push_back(large);
    const auto explained =
        explain(Zones(config, testing::seed), "large.example.com", *IpAddress::parse("10.1.0.7"), nullptr);
    EXPECT_TRUE(explained->answer.ends_with(" A 172.16.1.43")) << explained->answer.substr(0, 60);
}

TEST(DnsExplain, TellsAnswersOfOthers) {
    using testing::AnswerText;
    const std::string question = testing::question_of(testing::query({.name = "www.example.net"}));
    const AnswerText chain{.question = question,
                           .answers = {{"www.example.net", type::cname, 300, testing::name_octets("web.example.net")},
                                       {"web.example.net"},
                                       {"web.example.net", type::txt, 300, testing::octets("02'hi'")}}};
    EXPECT_EQ(answer_text(as_bytes(testing::answer(chain))),
              "NOERROR CNAME web.example.net A 192.0.2.7 TXT (3 octets)");
    const AnswerText odd{.question = question, .answers = {{"www.example.net", type::a, 300, testing::octets("0102")}}};
    EXPECT_EQ(answer_text(as_bytes(testing::answer(odd))), "NOERROR A (2 octets)") << "of the wrong length";
    EXPECT_EQ(answer_text(as_bytes(testing::answer({.question = question, .flags = 0x8183}))), "NXDOMAIN");
    EXPECT_EQ(answer_text(as_bytes(testing::answer({.question = question}))), "NOERROR, no data");
    EXPECT_EQ(answer_text({}), "") << "there is none";
}

}  // namespace
}  // namespace sallyport::dns
