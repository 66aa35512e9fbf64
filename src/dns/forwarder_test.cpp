#include "dns/forwarder_testing.hpp"
#include "dns/pass_back.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sallyport::dns {
namespace {

using namespace std::chrono_literals;
using testing::address_for;
using testing::Bench;
using testing::flags_for;
using testing::id_of;
using testing::NameServer;
using testing::octets;
using testing::silence;
using testing::tell_story;

TEST(DnsForwarder, PassesAQuestionOnAndItsAnswerBack) {
    tell_story([](io::Scope& scope) -> io::Task<void> {
        NameServer server(scope, [](const std::string& query) { return address_for(query); });
        Bench bench(scope, {server.address()});
        bench.ask({.name = "HQ.example.com", .id = 0xBEEF});
        co_await bench.wait(10ms);
        EXPECT_EQ(bench.answers.size(), 1U);
        EXPECT_EQ(id_of(bench.answers.front()), 0xBEEF);
        EXPECT_TRUE(same_question(as_bytes(testing::question_of(server.heard.front())),
                                  as_bytes(testing::question_of(testing::query({.name = "HQ.example.com"})))));
        EXPECT_NE(id_of(server.heard.front()), 0xBEEF) << "one chance in 65536";
        EXPECT_EQ(bench.told(), "NOERROR=192.0.2.7");
        co_await bench.forwarder.close();
    });
}

TEST(DnsForwarder, AnswersAgainOutOfItsCacheAndFetchesWhatIsAskedForAgain) {
    tell_story([](io::Scope& scope) -> io::Task<void> {
        NameServer server(scope, [](const std::string& query) { return address_for(query); });
        Bench bench(scope, {server.address()});
        bench.ask({});
        co_await bench.wait(10ms);
        for (int i = 0; i < 5; ++i) bench.ask({});
        EXPECT_EQ(bench.told(),
                  "NOERROR=192.0.2.7 NOERROR=192.0.2.7 NOERROR=192.0.2.7 NOERROR=192.0.2.7 "
                  "NOERROR=192.0.2.7 NOERROR=192.0.2.7");
        EXPECT_EQ(server.udp_questions, 1);
        co_await bench.wait(280s);
        bench.ask({});
        EXPECT_EQ(bench.told(), "NOERROR=192.0.2.7");
        co_await bench.wait(10ms);
        EXPECT_EQ(server.udp_questions, 2) << "fetched before it expired";
        co_await bench.wait(200s);
        bench.ask({});
        EXPECT_EQ(bench.told(), "NOERROR=192.0.2.7");
        EXPECT_EQ(server.udp_questions, 2);
        co_await bench.forwarder.close();
    });
}

TEST(DnsForwarder, AsksOnceForAllWhoWait) {
    tell_story([](io::Scope& scope) -> io::Task<void> {
        NameServer server(scope, [](const std::string& query) { return address_for(query); });
        Bench bench(scope, {server.address()}, 0);
        for (std::uint16_t id = 1; id <= 3; ++id)
            bench.ask({.name = id == 2 ? "HQ.example.com" : "hq.example.com", .id = id});
        bench.ask({.name = "hq.example.com", .edns = true, .options = octets("0008 0004 0001 0000")});
        co_await bench.wait(10ms);
        EXPECT_EQ(server.udp_questions, 2) << "client subnets are asked for by themselves";
        EXPECT_EQ(bench.answers.size(), 4U);
        for (std::uint16_t id = 1; id <= 3; ++id) EXPECT_EQ(id_of(bench.answers[id - 1U]), id);
        co_await bench.forwarder.close();
    });
}

TEST(DnsForwarder, AsksAnewForWhoComesInTheTurnInWhichItAnswered) {
    tell_story([](io::Scope& scope) -> io::Task<void> {
        NameServer server(scope, [](const std::string& query) { return address_for(query); });
        Bench bench(scope, {server.address()}, 0);
        bench.after_batch = [&bench] { bench.ask({}); };
        bench.ask({});
        co_await bench.wait(10ms);
        EXPECT_EQ(bench.told(), "NOERROR=192.0.2.7 NOERROR=192.0.2.7");
        EXPECT_EQ(server.udp_questions, 2);
        co_await bench.forwarder.close();
    });
}

TEST(DnsForwarder, AsksByTcpForWhatWasCut) {
    tell_story([](io::Scope& scope) -> io::Task<void> {
        NameServer server(
            scope, [](const std::string& query) { return flags_for(query, 0x8380); },
            [](const std::string& query) { return address_for(query); });
        Bench bench(scope, {server.address()});
        bench.ask({.name = "one.test"});
        bench.ask({.name = "two.test"});
        co_await bench.wait(10ms);
        EXPECT_EQ(bench.told(), "NOERROR=192.0.2.7 NOERROR=192.0.2.7");
        EXPECT_EQ(server.connections, 1) << "one stream for all";
        co_await bench.wait(11s);
        bench.ask({.name = "three.test"});
        co_await bench.wait(10ms);
        EXPECT_EQ(bench.told(), "NOERROR=192.0.2.7");
        EXPECT_EQ(server.connections, 2) << "an idle one is closed";
        co_await bench.forwarder.close();
    });
}

TEST(DnsForwarder, KeepsPrivateAddressesOfTheOutsideOut) {
    tell_story([](io::Scope& scope) -> io::Task<void> {
        NameServer server(scope, [](const std::string& query) { return address_for(query, "0A000001"); });
        Bench bench(scope, {server.address()});
        bench.config.dns.rebind_allow = testing::located({config::DnsName{"lan.test"}});
        bench.adopt();
        bench.ask({.name = "evil.test"});
        bench.ask({.name = "nas.lan.test"});
        co_await bench.wait(10ms);
        EXPECT_EQ(bench.told(), "NOERROR NOERROR=10.0.0.1");
        EXPECT_EQ(bench.forwarder.numbers().of(Event::rebind).value(), 1U);
        bench.config.dns.rebind_allow = testing::located({config::DnsName{"evil.test"}});
        bench.adopt();
        bench.ask({.name = "evil.test"});
        bench.ask({.name = "nas.lan.test"});
        co_await bench.wait(10ms);
        EXPECT_EQ(bench.told(), "NOERROR=10.0.0.1 NOERROR") << "by the new rule, whatever was known";
        co_await bench.forwarder.close();
    });
}

TEST(DnsForwarder, EndsWhatIsUnderWayWithAFailure) {
    tell_story([](io::Scope& scope) -> io::Task<void> {
        NameServer server(scope, silence);
        Bench bench(scope, {server.address()});
        bench.ask({});
        co_await bench.forwarder.close();
        EXPECT_EQ(bench.told(), "SERVFAIL");
    });
}

}  // namespace
}  // namespace sallyport::dns
