// Upstreams that do not answer, or not well: whom the forwarder asks next, and what clients are told meanwhile.
#include "dns/forwarder_testing.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::dns {
namespace {

using namespace std::chrono_literals;
using testing::address_for;
using testing::Bench;
using testing::code_for;
using testing::flags_for;
using testing::NameServer;
using testing::octets;
using testing::silence;
using testing::tell_story;

TEST(DnsForwarderHealth, AsksTheNextOneWhenOneIsSilentRefusesOrFails) {
    struct Case {
        std::string_view name;
        std::function<std::vector<std::string>(const std::string&)> first;
        Duration within;
    };
    const Case cases[] = {
        {"silent", silence, 900ms},
        {"SERVFAIL", [](const std::string& query) { return code_for(query, 2); }, 50ms},
        {"NOTIMP", [](const std::string& query) { return code_for(query, 4); }, 50ms},
        {"REFUSED", [](const std::string& query) { return code_for(query, 5); }, 50ms},
        {"asks nobody else itself", [](const std::string& query) { return flags_for(query, 0x8100); }, 50ms},
        {"cut, and nobody listens by TCP", [](const std::string& query) { return flags_for(query, 0x8380); }, 50ms},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        tell_story([&c](io::Scope& scope) -> io::Task<void> {
            NameServer bad(scope, c.first);
            NameServer good(scope, [](const std::string& query) { return address_for(query); });
            Bench bench(scope, {bad.address(), good.address()});
            for (int i = 0; i < 8; ++i) {  // whichever is tried first
                const std::string name = "n" + std::to_string(i) + ".test";
                bench.ask({.name = name});
                co_await bench.wait(c.within);
                EXPECT_EQ(bench.told(), "NOERROR=192.0.2.7");
            }
            co_await bench.forwarder.close();
        });
    }
}

TEST(DnsForwarderHealth, TellsAtOnceThatNobodyListens) {
    tell_story([](io::Scope& scope) -> io::Task<void> {
        std::string gone;
        {
            io::Scope brief(scope.loop());
            NameServer server(brief, silence);
            gone = server.address();
            brief.cancel();
            co_await brief.join();
        }
        Bench bench(scope, {gone});
        bench.ask({});
        co_await bench.wait(100ms);
        EXPECT_EQ(bench.told(), "SERVFAIL");
        co_await bench.forwarder.close();
    });
}

TEST(DnsForwarderHealth, GivesAFailureBackWhenNobodyKnowsBetter) {
    tell_story([](io::Scope& scope) -> io::Task<void> {
        const auto refuse = [](const std::string& query) { return code_for(query, 5); };
        NameServer one(scope, refuse), two(scope, refuse);
        Bench bench(scope, {one.address(), two.address()});
        bench.ask({});
        co_await bench.wait(50ms);
        EXPECT_EQ(bench.told(), "REFUSED");
        EXPECT_EQ(one.udp_questions + two.udp_questions, 2);
        co_await bench.forwarder.close();
    });
}

TEST(DnsForwarderHealth, TakesANoForAnAnswer) {
    struct Case {
        std::string_view name;
        std::uint16_t flags;
        std::string_view told;
    };
    const Case cases[] = {
        {"there is no such name", 0x8183, "NXDOMAIN"},
        {"there is no such type", 0x8180, "NOERROR"},
        {"there is no such type, says whose name it is", 0x8500, "NOERROR"},
        {"the question can't be read", 0x8181, "FORMERR"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        tell_story([&c](io::Scope& scope) -> io::Task<void> {
            const auto say = [&c](const std::string& query) { return flags_for(query, c.flags); };
            NameServer one(scope, say), two(scope, say);
            Bench bench(scope, {one.address(), two.address()});
            bench.ask({});
            co_await bench.wait(50ms);
            EXPECT_EQ(bench.told(), c.told);
            EXPECT_EQ(one.udp_questions + two.udp_questions, 1);
            co_await bench.forwarder.close();
        });
    }
}

TEST(DnsForwarderHealth, LeavesASilentOneAloneButForProbesUntilItAnswers) {
    tell_story([](io::Scope& scope) -> io::Task<void> {
        bool answers = false;
        NameServer moody(scope, [&answers](const std::string& query) {
            return answers ? address_for(query) : std::vector<std::string>{};
        });
        NameServer good(scope, [](const std::string& query) { return address_for(query); });
        Bench bench(scope, {moody.address(), good.address()}, 0);
        for (int i = 0; i < 50; ++i) {
            bench.ask({});
            co_await bench.wait(1s);
        }
        // At most the two that were missed, one now and then for the sake of knowing, and probes after 1, 2, 4 ... s.
        EXPECT_LE(moody.udp_questions, 10);
        EXPECT_EQ(bench.answers.size(), 50U);
        answers = true;
        co_await bench.wait(33s);
        bench.forwarder.for_each_upstream([](Upstream& upstream) { EXPECT_FALSE(upstream.health().failing()); });
        co_await bench.forwarder.close();
    });
}

TEST(DnsForwarderHealth, IsNotWorseForAStreamThatFails) {
    tell_story([](io::Scope& scope) -> io::Task<void> {
        NameServer server(scope, [](const std::string& query) {
            const bool is_text = testing::question_of(query).ends_with(octets("0010 0001"));
            return is_text ? flags_for(query, 0x8380) : address_for(query);  // and nobody listens by TCP
        });
        Bench bench(scope, {server.address()}, 0);
        for (int i = 0; i < 3; ++i) {
            bench.ask({.name = "x.example", .type = type::txt});
            co_await bench.wait(100ms);
            bench.ask({.name = "x.example"});
            co_await bench.wait(10ms);
            EXPECT_EQ(bench.told(), "SERVFAIL NOERROR=192.0.2.7");
        }
        co_await bench.forwarder.close();
    });
}

TEST(DnsForwarderHealth, IsNotWorseForAStreamThatItEndsBetweenAnswers) {
    tell_story([](io::Scope& scope) -> io::Task<void> {
        NameServer server(
            scope, [](const std::string& query) { return flags_for(query, 0x8380); },
            [](const std::string& query) { return address_for(query); });
        server.answers_a_connection = 1;
        Bench bench(scope, {server.address()});
        for (const char* name : {"one.test", "two.test", "three.test", "four.test"}) bench.ask({.name = name});
        co_await bench.wait(100ms);
        EXPECT_EQ(bench.told(), "NOERROR=192.0.2.7 NOERROR=192.0.2.7 NOERROR=192.0.2.7 NOERROR=192.0.2.7");
        EXPECT_EQ(server.connections, 4);
        bench.forwarder.for_each_upstream(
            [](Upstream& upstream) { EXPECT_EQ(upstream.facts().numbers.of(Passed::missed), 0U); });
        co_await bench.forwarder.close();
    });
}

TEST(DnsForwarderHealth, HoldsAnAnswerThatIsNoneAgainstNobody) {
    tell_story([](io::Scope& scope) -> io::Task<void> {
        NameServer silent(scope, silence);
        NameServer failing(scope, [](const std::string& query) { return code_for(query, 2); });
        Bench bench(scope, {silent.address(), failing.address()}, 0);
        for (int i = 0; i < 4; ++i) {
            bench.ask({});
            co_await bench.wait(5s);
            EXPECT_EQ(bench.told(), "SERVFAIL");
        }
        bench.forwarder.for_each_upstream([&](Upstream& upstream) {
            if (upstream.server().to_string() != failing.address()) return;
            EXPECT_EQ(upstream.facts().numbers.of(Passed::missed), 0U);
        });
        co_await bench.forwarder.close();
    });
}

TEST(DnsForwarderHealth, LeavesOneAloneThatIsNoLongerConfigured) {
    tell_story([](io::Scope& scope) -> io::Task<void> {
        NameServer silent(scope, silence);
        NameServer good(scope, [](const std::string& query) { return address_for(query); });
        Bench bench(scope, {silent.address()}, 0);
        bench.ask({});
        co_await bench.wait(5s);
        EXPECT_EQ(bench.told(), "SERVFAIL");
        bench.config.dns.upstream = testing::upstreams({good.address().c_str()});
        bench.adopt();
        EXPECT_EQ(bench.forwarder.facts().upstreams.size(), 1U) << "nobody is told that it fails";
        const int asked = silent.udp_questions;
        co_await bench.wait(100s);
        EXPECT_EQ(silent.udp_questions, asked);
        bench.config.dns.upstream = testing::upstreams({silent.address().c_str(), good.address().c_str()});
        bench.adopt();
        co_await bench.wait(40s);
        EXPECT_GT(silent.udp_questions, asked) << "probed again, for it may answer now";
        co_await bench.forwarder.close();
    });
}

TEST(DnsForwarderHealth, FailsQuicklyWhileAllFailAndRecoversWithTheFirstQuestion) {
    tell_story([](io::Scope& scope) -> io::Task<void> {
        bool answers = false;
        NameServer moody(scope, [&answers](const std::string& query) {
            return answers ? address_for(query) : std::vector<std::string>{};
        });
        Bench bench(scope, {moody.address()}, 0);
        bench.ask({});
        co_await bench.wait(5s);
        EXPECT_EQ(bench.told(), "SERVFAIL");
        bench.ask({.name = "one.test"});
        bench.ask({.name = "two.test"});
        co_await bench.wait(1ms);
        EXPECT_EQ(bench.told(), "SERVFAIL") << "one of them is a last resort";
        co_await bench.wait(5s);
        bench.told();
        answers = true;
        bench.ask({.name = "three.test"});
        co_await bench.wait(10ms);
        EXPECT_EQ(bench.told(), "NOERROR=192.0.2.7");
        co_await bench.forwarder.close();
    });
}

TEST(DnsForwarderHealth, ServesWhatIsPastItsTimeWhereUpstreamsSayThatTheyFail) {
    for (const std::uint16_t code : {std::uint16_t{2}, std::uint16_t{5}}) {
        SCOPED_TRACE(code);
        tell_story([code](io::Scope& scope) -> io::Task<void> {
            bool knows = true;
            NameServer moody(scope, [&knows, code](const std::string& query) {
                return knows ? address_for(query) : code_for(query, code);
            });
            Bench bench(scope, {moody.address()});
            bench.ask({});
            co_await bench.wait(400s);
            knows = false;
            bench.told();
            bench.ask({});
            bench.ask({.name = "unknown.test"});
            co_await bench.wait(10ms);
            EXPECT_EQ(bench.told(), code == 2 ? "NOERROR=192.0.2.7 SERVFAIL" : "NOERROR=192.0.2.7 REFUSED");
            EXPECT_EQ(bench.forwarder.numbers().of(Event::stale).value(), 1U);
            co_await bench.forwarder.close();
        });
    }
}

TEST(DnsForwarderHealth, ServesWhatIsPastItsTimeWhileNobodyAnswers) {
    tell_story([](io::Scope& scope) -> io::Task<void> {
        bool answers = true;
        NameServer moody(scope, [&answers](const std::string& query) {
            return answers ? address_for(query) : std::vector<std::string>{};
        });
        Bench bench(scope, {moody.address()});
        bench.ask({});
        co_await bench.wait(400s);
        answers = false;
        bench.told();
        bench.ask({});
        co_await bench.wait(1700ms);
        EXPECT_EQ(bench.told(), "") << "1.8 s to get a fresh one";
        co_await bench.wait(200ms);
        EXPECT_EQ(bench.told(), "NOERROR=192.0.2.7");
        co_await bench.wait(10s);
        bench.ask({});
        co_await bench.wait(2s);
        EXPECT_EQ(bench.told(), "NOERROR=192.0.2.7");
        answers = true;
        co_await bench.wait(40s);
        bench.ask({});
        co_await bench.wait(10ms);
        EXPECT_EQ(bench.told(), "NOERROR=192.0.2.7");
        co_await bench.forwarder.close();
    });
}

}  // namespace
}  // namespace sallyport::dns
