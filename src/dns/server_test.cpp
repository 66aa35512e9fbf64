#include "dns/server_testing.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace sallyport::dns {
namespace {

using namespace std::chrono_literals;
using Bench = testing::ServerBench;
using telemetry::Reason;
using testing::at;
using testing::octets;
using testing::tell_server_story;
using testing::told;

TEST(DnsServer, AnswersByUdpFromTheAddressThatWasAsked) {
    tell_server_story([](Bench& bench) -> io::Task<void> {
        EXPECT_EQ(told(co_await bench.ask(testing::query({}))), "NOERROR=172.16.0.10");
        EXPECT_EQ(told(co_await bench.ask(testing::query({}), "127.0.0.1", "127.0.0.7")), "NOERROR=172.16.0.10");
        EXPECT_EQ(told(co_await bench.ask(testing::query({.type = type::aaaa}))), "NOERROR");
        EXPECT_EQ(told(co_await bench.ask(testing::query({}), "127.0.1.1")), "REFUSED");
        EXPECT_EQ(bench.ended(Reason::ok), 3U);
        EXPECT_EQ(bench.ended(Reason::dns_refused), 1U);
    });
}

TEST(DnsServer, AnswersWhatIsNoQuestionAsItDeserves) {
    struct Case {
        std::string_view name, message, told;
    };
    const Case cases[] = {
        {"too short", "1234", "nothing"},
        {"an answer", "1234 8180 0001 0000 0000 0000 02'hq'00 0001 0001", "nothing"},
        {"an update", "1234 2800 0001 0000 0000 0000 02'hq'00 0001 0001", "NOTIMP alone"},
        {"two questions", "1234 0100 0002 0000 0000 0000 02'hq'00 0001 0001", "FORMERR alone"},
        {"a compressed question", "1234 0100 0001 0000 0000 0000 C00C 0001 0001", "FORMERR alone"},
        {"a later EDNS", "1234 0100 0001 0000 0000 0001 02'hq'00 0001 0001 00 0029 04D0 00010000 0000", "NOERROR"},
        {"another class", "1234 0100 0001 0000 0000 0000 02'hq'00 0001 0003", "REFUSED"},
        {"a zone transfer", "1234 0100 0001 0000 0000 0000 02'hq'00 00FC 0001", "REFUSED"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        tell_server_story([&c](Bench& bench) -> io::Task<void> {
            const std::string answer = co_await bench.ask(octets(c.message));
            EXPECT_EQ(told(answer), c.told);
            EXPECT_LE(answer.size(), octets(c.message).size());
        });
    }
}

TEST(DnsServer, AnswersABatchOfQuestionsAboutManyNamesAsItDoesOfFew) {
    tell_server_story([](Bench& bench) -> io::Task<void> {
        std::vector<std::string> names;
        for (int i = 0; i < 10'000; ++i) names.push_back("h" + std::to_string(i) + ".example.com");
        for (const std::string& name : names)
            bench.config.dns_records.push_back(testing::record(name, {"172.16.0.20"}));
        bench.adopt();
        io::UdpSocket client =
            *io::UdpSocket::adopt(bench.scope.loop(), *io::bind_udp(at("127.0.0.1"), {}), bench.scope.cancellation());
        const std::string messages[] = {testing::query({.name = names[7]}),
                                        "",
                                        "short",
                                        octets("1234 0100 0001 0000 0000 0000 3F'no end'"),
                                        testing::query({.name = names[9'999]}),
                                        testing::query({})};
        std::vector<io::Datagram> out;
        for (const std::string& message : messages)
            out.push_back({.peer = at("127.0.0.1", bench.port), .local = {}, .bytes = as_bytes(message)});
        client.send(out);
        co_await bench.pause();
        io::DatagramBatch batch;
        std::vector<std::string> answers;
        for (const io::Datagram& datagram : client.receive(batch)) answers.push_back(told(as_text(datagram.bytes)));
        EXPECT_EQ(answers, (std::vector<std::string>{"NOERROR=172.16.0.20", "FORMERR alone", "NOERROR=172.16.0.20",
                                                     "NOERROR=172.16.0.10"}));
    });
}

TEST(DnsServer, PassesOtherNamesOnAndKeepsWhatItLearns) {
    tell_server_story([](Bench& bench) -> io::Task<void> {
        EXPECT_EQ(told(co_await bench.ask(testing::query({.name = "api.test"}))), "nothing") << "not yet";
        bench.answer_upstream();
        co_await bench.pause();
        EXPECT_EQ(told(co_await bench.ask(testing::query({.name = "API.test"}))), "NOERROR=192.0.2.7");
        EXPECT_EQ(bench.server.forwarder().numbers().of(Event::hit).value(), 1U);
        EXPECT_EQ(told(co_await bench.ask(testing::query({.name = "api.test", .type = type::any}))), "NOERROR cut");
    });
}

TEST(DnsServer, GivesEachOfABatchItsOwnAnswerThoughSomeLeaveBeforeTheOthers) {
    tell_server_story([](Bench& bench) -> io::Task<void> {
        co_await bench.ask(testing::query({.name = "api.test"}));
        bench.answer_upstream();
        co_await bench.pause();
        EXPECT_EQ(told(co_await bench.ask(testing::query({.name = "api.test"}))), "NOERROR=192.0.2.7");
        co_await io::Sleep(bench.scope.loop(), bench.scope.cancellation(), bench.scope.loop().in(280s));
        // The third one's answer is fetched again from a port that is opened for it, and that sends what waits.
        std::vector<std::string> messages;
        std::vector<io::Datagram> out;
        for (std::uint16_t id = 1; id <= 7; ++id)
            messages.push_back(testing::query({.name = id == 3 ? "api.test" : "hq.example.com", .id = id}));
        for (const std::string& message : messages)
            out.push_back({.peer = at("127.0.0.1", bench.port), .local = {}, .bytes = as_bytes(message)});
        io::UdpSocket client =
            *io::UdpSocket::adopt(bench.scope.loop(), *io::bind_udp(at("127.0.0.1"), {}), bench.scope.cancellation());
        client.send(out);
        co_await bench.pause();
        io::DatagramBatch batch;
        std::string answers;
        for (const io::Datagram& datagram : client.receive(batch))
            answers += std::to_string(*ByteReader(datagram.bytes).u16()) + ' ' + told(as_text(datagram.bytes)) + '\n';
        EXPECT_EQ(answers,
                  "1 NOERROR=172.16.0.10\n2 NOERROR=172.16.0.10\n3 NOERROR=192.0.2.7\n4 NOERROR=172.16.0.10\n"
                  "5 NOERROR=172.16.0.10\n6 NOERROR=172.16.0.10\n7 NOERROR=172.16.0.10\n");
    });
}

TEST(DnsServer, SendsTheFailureThatItHadWhenNobodyKnewBetter) {
    tell_server_story([](Bench& bench) -> io::Task<void> {
        io::Scope others(bench.scope.loop());
        testing::NameServer failing(others, [](const std::string& query) { return testing::code_for(query, 2); });
        bench.config.dns.upstream.push_back({config::parse_dns_upstream(failing.address()).value(), {}});
        bench.adopt();  // beside one that is silent
        io::UdpSocket client =
            *io::UdpSocket::adopt(bench.scope.loop(), *io::bind_udp(at("127.0.0.1"), {}), bench.scope.cancellation());
        const std::string question = testing::query({.name = "api.test"});
        const io::Datagram out{.peer = at("127.0.0.1", bench.port), .local = {}, .bytes = as_bytes(question)};
        client.send({&out, 1});
        co_await io::Sleep(bench.scope.loop(), bench.scope.cancellation(), bench.scope.loop().in(5s));
        io::DatagramBatch batch;
        const auto got = client.receive(batch);
        EXPECT_EQ(got.size(), 1U);
        if (!got.empty()) EXPECT_EQ(told(as_text(got.front().bytes)), "SERVFAIL");
        others.cancel();
        co_await others.join();
    });
}

TEST(DnsServer, LooksUpForAnAdminWhatItPassesOn) {
    tell_server_story([](Bench& bench) -> io::Task<void> {
        std::vector<std::string> told_admin;
        const auto look_up = [&](std::string_view name, const char* client = "127.0.0.1") {
            bench.server.look_up(Name::parse(name).value(), type::a, *IpAddress::parse(client),
                                 [&](LookedUp looked_up) {
                                     told_admin.push_back(std::string(telemetry::code(looked_up.reason)) + ' ' +
                                                          told(as_text(looked_up.answer)));
                                 });
        };
        look_up("api.test");
        EXPECT_TRUE(told_admin.empty());
        co_await bench.pause();
        bench.answer_upstream();
        co_await bench.pause();
        look_up("api.test");
        look_up("hq.example.com");
        look_up("api.test", "192.0.2.1");
        EXPECT_EQ(told_admin, (std::vector<std::string>{"ok NOERROR=192.0.2.7", "ok NOERROR=192.0.2.7",
                                                        "dns.no_answer nothing", "dns.no_answer nothing"}))
            << "what is ours is not passed on, and a stranger's is not either";
        EXPECT_EQ(bench.ended(Reason::ok), 0U) << "nobody has asked";
    });
}

TEST(DnsServer, LimitsWhatOneNetworkGets) {
    tell_server_story([](Bench& bench) -> io::Task<void> {
        bench.config.dns.answers_per_second = 3;
        bench.adopt();
        std::string all;
        for (int i = 0; i < 7; ++i)
            all += told(co_await bench.ask(testing::query({}), i % 2 ? "127.0.0.1" : "127.0.0.9")) + ' ';
        EXPECT_EQ(
            all,
            "NOERROR=172.16.0.10 NOERROR=172.16.0.10 NOERROR=172.16.0.10 NOERROR cut nothing NOERROR cut nothing ");
        co_await io::Sleep(bench.scope.loop(), bench.scope.cancellation(), bench.scope.loop().in(1s));
        EXPECT_EQ(told(co_await bench.ask(testing::query({}))), "NOERROR=172.16.0.10");
    });
    tell_server_story([](Bench& bench) -> io::Task<void> {
        int refused = 0;
        for (int i = 0; i < 40; ++i) refused += (co_await bench.ask(testing::query({}), "127.0.1.1")).empty() ? 0 : 1;
        EXPECT_EQ(refused, 10) << "strangers, in 200 ms";
    });
}
struct Couriers final : Claims {
    explicit Couriers(io::Scope& on) : scope(on) {}
    std::optional<Claim> claim(const ClaimQuestion& question) override {
        const std::string name = Name::from_wire(question.name)->to_string();
        if (name == "7-courier.test") return Claim{.v4 = *IpAddress::parse("10.100.100.7")};
        if (name.ends_with("-courier.test")) return Claim{.state = Claim::State::unsettled};
        return std::nullopt;
    }
    io::Task<Claim> settle(Name name, IpAddress) override {
        co_await io::Sleep(scope.loop(), scope.cancellation(), scope.loop().in(1ms));
        if (name.to_string().starts_with("51")) co_return Claim{.state = Claim::State::absent};
        if (name.to_string().starts_with("52")) co_return Claim{.state = Claim::State::unsettled};
        co_return Claim{.v4 = *IpAddress::parse("10.100.100.8")};
    }
    io::Scope& scope;
};

TEST(DnsServer, LetsAnotherRoomAnswerAndFindOut) {
    tell_server_story([](Bench& bench) -> io::Task<void> {
        Couriers couriers(bench.scope);
        bench.server.set_claims(&couriers);
        EXPECT_EQ(told(co_await bench.ask(testing::query({.name = "7-courier.test"}))), "NOERROR=10.100.100.7");
        EXPECT_EQ(told(co_await bench.ask(testing::query({.name = "8-courier.test"}))), "NOERROR=10.100.100.8");
        EXPECT_EQ(told(co_await bench.ask(testing::query({.name = "8-courier.test", .type = type::https}))), "NOERROR");
        EXPECT_EQ(told(co_await bench.ask(testing::query({.name = "51-courier.test"}))), "NXDOMAIN");
        EXPECT_EQ(told(co_await bench.ask(testing::query({.name = "52-courier.test"}))), "SERVFAIL");
        bench.server.set_claims(nullptr);
    });
}

TEST(DnsServer, BoundsTheQuestionsThatWaitForAnotherRoom) {
    tell_server_story([](Bench& bench) -> io::Task<void> {
        Couriers couriers(bench.scope);
        bench.server.set_claims(&couriers);
        io::UdpSocket others =
            *io::UdpSocket::adopt(bench.scope.loop(), *io::bind_udp(at("127.0.0.1"), {}), bench.scope.cancellation());
        const std::string question = testing::query({.name = "8-courier.test"});
        const std::vector<io::Datagram> out(
            32, {.peer = at("127.0.0.1", bench.port), .local = {}, .bytes = as_bytes(question)});
        for (std::size_t sent = 0; sent < Server::most_settling + 64; sent += out.size()) {
            others.send(out);
            co_await io::Yield{bench.scope.loop()};
        }
        co_await bench.pause();
        EXPECT_GT(bench.ended(Reason::dns_busy), 0U);
        EXPECT_EQ(told(co_await bench.ask(question)), "NOERROR=10.100.100.8") << "there is room again";
        bench.server.set_claims(nullptr);
    });
}

TEST(DnsServer, StopsListeningWhenItsSocketIsTakenAway) {
    tell_server_story([](Bench& bench) -> io::Task<void> {
        EXPECT_EQ(told(co_await bench.ask(testing::query({}))), "NOERROR=172.16.0.10");
        bench.server.remove_udp(1);
        co_await bench.pause();
        EXPECT_EQ(told(co_await bench.ask(testing::query({}))), "nothing");
    });
}

TEST(DnsRateLimit, CountsNetworksApartAndForgetsAfterASecond) {
    using Verdict = RateLimit::Verdict;
    RateLimit limit(7);
    const SteadyTime t0{1h};
    const IpAddress one = *IpAddress::parse("192.0.2.1"), same = *IpAddress::parse("192.0.2.200"),
                    other = *IpAddress::parse("198.51.100.1");
    EXPECT_EQ(limit.take(one, 1, t0), Verdict::send);
    EXPECT_EQ(limit.take(same, 1, t0), Verdict::cut);
    EXPECT_EQ(limit.take(one, 1, t0), Verdict::drop);
    EXPECT_EQ(limit.take(other, 1, t0), Verdict::send);
    EXPECT_EQ(limit.take(one, 0, t0), Verdict::send);
    EXPECT_EQ(limit.take(one, 1, t0 + 1s), Verdict::send);
}

}  // namespace
}  // namespace sallyport::dns
