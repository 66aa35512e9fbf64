#include "dns/server.hpp"

#include "base/text.hpp"
#include "dns/answers_testing.hpp"
#include "dns/testing.hpp"
#include "io/testing.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace sallyport::dns {
namespace {

using namespace std::chrono_literals;
using io::testing::VirtualLoop;
using telemetry::Reason;
using testing::octets;

SocketAddress at(const char* ip, std::uint16_t port = 0) { return {*IpAddress::parse(ip), port}; }

// A server on loopback, and clients that ask it from several addresses.
class Bench {
public:
    explicit Bench(io::Scope& scope)
        : scope(scope),
          reporter(switches, std::size_t{1} << 16),
          server(scope.loop(), reporter, counters, lookout, {.seed = testing::seed, .tcp_capacity = 8}),
          listener(*io::Acceptor::adopt(scope.loop(), *io::listen_tcp(at("127.0.0.1"), {}), scope.cancellation())) {
        config = testing::office();
        config.dns.clients = testing::networks({"127.0.0.0/24"});
        config.dns_views.clear();
        config.dns_forwards.clear();
        config.dns_records = {testing::record("hq.example.com", {"172.16.0.10"})};
        upstream.emplace(*io::UdpSocket::adopt(scope.loop(), *io::bind_udp(at("127.0.0.1"), {}), scope.cancellation()));
        config.dns.upstream = {{config::parse_dns_upstream(io::local_address(upstream->fd()).to_string()).value(), {}}};
        adopt();
        io::Fd fd = *io::bind_udp(at("0.0.0.0"), {});
        port = io::local_address(fd.get()).port;
        server.add_udp(1, "here", std::move(fd));
    }
    void adopt() { server.adopt({std::make_shared<const Zones>(config, testing::seed), nullptr}); }

    io::Task<void> pause() { co_await io::Sleep(scope.loop(), scope.cancellation(), scope.loop().in(5ms)); }

    // What comes back to a message by UDP; empty: nothing.
    io::Task<std::string> ask(std::string message, const char* from = "127.0.0.1", const char* to = "127.0.0.1") {
        io::UdpSocket client = *io::UdpSocket::adopt(scope.loop(), *io::bind_udp(at(from), {}), scope.cancellation());
        const io::Datagram out{.peer = at(to, port), .local = {}, .bytes = as_bytes(message)};
        client.send({&out, 1});
        co_await pause();
        io::DatagramBatch batch;
        const auto got = client.receive(batch);
        if (!got.empty()) EXPECT_EQ(got.front().peer, at(to, port)) << "the answer comes from where it was asked";
        co_return got.empty() ? std::string() : std::string(as_text(got.front().bytes));
    }

    // Answers what waits at the upstream with this address.
    void answer_upstream() {
        io::DatagramBatch batch;
        for (const io::Datagram& datagram : upstream->receive(batch)) {
            const std::string query(as_text(datagram.bytes));
            const std::string question = testing::question_of(query);
            const std::string name = Name::from_wire(as_bytes(question).first(question.size() - 4)).value().to_string();
            const std::string answer =
                testing::answer({.question = question, .id = *ByteReader(datagram.bytes).u16(), .answers = {{name}}});
            const io::Datagram out{.peer = datagram.peer, .local = {}, .bytes = as_bytes(answer)};
            upstream->send({&out, 1});
        }
    }

    // A client's connection; the server has the other end.
    io::Stream connect() {
        auto [near, far] = io::testing::socket_pair();
        server.take("here", {std::move(far), at("127.0.0.1", 50000)});
        return *io::Stream::adopt(scope.loop(), std::move(near), scope.cancellation());
    }

    std::uint64_t ended(Reason reason) const {
        const auto& numbers = counters.numbers().of(telemetry::Protocol::dns).ended;
        return numbers[0][telemetry::index(reason)].value() + numbers[1][telemetry::index(reason)].value();
    }

    io::Scope& scope;
    telemetry::RecordSwitches switches;
    telemetry::Reporter reporter;
    telemetry::LoopCounters counters;
    guard::Lookout lookout;
    Server server;
    io::Acceptor listener;
    config::Config config;
    std::optional<io::UdpSocket> upstream;
    std::uint16_t port = 0;
};

template <class Story>
void tell_story(Story story) {
    VirtualLoop loop;
    loop.run([](io::Loop& on, Story told) -> io::Task<void> {
        io::Scope scope(on);
        Bench bench(scope);
        co_await told(bench);
        co_await bench.server.finish();
        scope.cancel();
        co_await scope.join();
    }(*loop, story));
}

// "NOERROR=172.16.0.10", "REFUSED", "nothing".
std::string told(std::string_view answer) {
    if (answer.empty()) return "nothing";
    const auto header = read_header(as_bytes(answer));
    const auto response = read_response(as_bytes(answer));
    if (!response) return header ? rcode_name(header->flags & flag::rcode) + " alone" : "garbage";
    std::string out = rcode_name(response->header.flags & flag::rcode);
    if (response->header.has(flag::truncated)) out += " cut";
    RecordReader records(as_bytes(answer), response->header, response->records_at());
    while (const auto record = records.next()) {
        if (record->type != type::a) continue;
        out += '=' + IpAddress::v4(*ByteReader(as_bytes(answer).subspan(record->rdata, 4)).u32()).to_string();
    }
    return out;
}

TEST(DnsServer, AnswersByUdpFromTheAddressThatWasAsked) {
    tell_story([](Bench& bench) -> io::Task<void> {
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
        tell_story([&c](Bench& bench) -> io::Task<void> {
            const std::string answer = co_await bench.ask(octets(c.message));
            EXPECT_EQ(told(answer), c.told);
            EXPECT_LE(answer.size(), octets(c.message).size());
        });
    }
}

TEST(DnsServer, AnswersABatchOfQuestionsAboutManyNamesAsItDoesOfFew) {
    tell_story([](Bench& bench) -> io::Task<void> {
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
    tell_story([](Bench& bench) -> io::Task<void> {
        EXPECT_EQ(told(co_await bench.ask(testing::query({.name = "api.test"}))), "nothing") << "not yet";
        bench.answer_upstream();
        co_await bench.pause();
        EXPECT_EQ(told(co_await bench.ask(testing::query({.name = "API.test"}))), "NOERROR=192.0.2.7");
        EXPECT_EQ(bench.server.forwarder().numbers().of(Event::hit).value(), 1U);
        EXPECT_EQ(told(co_await bench.ask(testing::query({.name = "api.test", .type = type::any}))), "NOERROR cut");
    });
}

TEST(DnsServer, LooksUpForAnAdminWhatItPassesOn) {
    tell_story([](Bench& bench) -> io::Task<void> {
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
    tell_story([](Bench& bench) -> io::Task<void> {
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
    tell_story([](Bench& bench) -> io::Task<void> {
        int refused = 0;
        for (int i = 0; i < 40; ++i) refused += (co_await bench.ask(testing::query({}), "127.0.1.1")).empty() ? 0 : 1;
        EXPECT_EQ(refused, 10) << "strangers, in 200 ms";
    });
}

std::string framed(const std::string& message) {
    return {std::string{static_cast<char>(message.size() >> 8), static_cast<char>(message.size())} + message};
}

// The messages that have come on a connection.
io::Task<std::vector<std::string>> read_messages(io::Stream& stream, std::size_t count, io::Loop& loop) {
    std::string in;
    std::vector<std::string> out;
    while (out.size() < count) {
        std::array<std::byte, 65536> room;
        const io::Got got = co_await stream.read_some(room, loop.in(1s));
        if (got.io != io::Io::ok) break;
        in += as_text(Bytes(room).first(got.bytes));
        while (in.size() >= 2 && in.size() - 2 >= *ByteReader(as_bytes(in)).u16()) {
            const std::size_t size = *ByteReader(as_bytes(in)).u16();
            out.push_back(in.substr(2, size));
            in.erase(0, 2 + size);
        }
    }
    co_return out;
}

TEST(DnsServer, AnswersByTcpWhateverPiecesTheQuestionsComeIn) {
    for (const std::size_t piece : {1U, 2U, 7U, 10'000U}) {
        SCOPED_TRACE(piece);
        tell_story([piece](Bench& bench) -> io::Task<void> {
            io::Stream client = bench.connect();
            std::string all;
            for (std::uint16_t id = 1; id <= 50; ++id) all += framed(testing::query({.id = id}));
            for (std::size_t at = 0; at < all.size(); at += piece) {
                client.write(as_bytes(all).subspan(at, std::min(piece, all.size() - at)));
                if (at % 64 == 0) co_await io::Yield{bench.scope.loop()};
            }
            const auto answers = co_await read_messages(client, 50, bench.scope.loop());
            EXPECT_EQ(answers.size(), 50U);
            for (const std::string& answer : answers) EXPECT_EQ(told(answer), "NOERROR=172.16.0.10");
        });
    }
}

TEST(DnsServer, AnswersByTcpInTheOrderOfTheAnswers) {
    tell_story([](Bench& bench) -> io::Task<void> {
        io::Stream client = bench.connect();
        client.write(
            as_bytes(framed(testing::query({.name = "slow.test", .id = 1})) + framed(testing::query({.id = 2}))));
        auto answers = co_await read_messages(client, 1, bench.scope.loop());
        EXPECT_EQ(*ByteReader(as_bytes(answers.at(0))).u16(), 2);
        bench.answer_upstream();
        answers = co_await read_messages(client, 1, bench.scope.loop());
        EXPECT_EQ(*ByteReader(as_bytes(answers.at(0))).u16(), 1);
        EXPECT_EQ(told(answers.at(0)), "NOERROR=192.0.2.7");
    });
}

TEST(DnsServer, ClosesIdleAndSenselessConnections) {
    struct Case {
        std::string_view name, bytes;
        Duration after;
    };
    const Case cases[] = {
        {"nothing", "", 11s},
        {"half a length", "00", 11s},
        {"a length of nothing", "0000", 10ms},
        {"an answer", "0019 1234 8180 0001 0000 0000 0000 02'hq'00 0001 0001 0000 0000 00", 10ms},
        {"65535 octets that never come", "FFFF 1234", 11s},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        tell_story([&c](Bench& bench) -> io::Task<void> {
            io::Stream client = bench.connect();
            client.write(as_bytes(octets(c.bytes)));
            std::array<std::byte, 10> room;
            const SteadyTime began = bench.scope.loop().now();
            const io::Got got = co_await client.read_some(room, bench.scope.loop().in(1min));
            EXPECT_NE(got.io, io::Io::again);
            EXPECT_LE(bench.scope.loop().now() - began, c.after);
        });
    }
}

TEST(DnsServer, WaitsNoLongerForAQuestionThatComesOctetByOctet) {
    tell_story([](Bench& bench) -> io::Task<void> {
        io::Stream client = bench.connect();
        const std::string slow = octets("FFFF 1234 0100 0001");
        const SteadyTime began = bench.scope.loop().now();
        std::array<std::byte, 10> room;
        io::Got got{.io = io::Io::again};
        for (std::size_t i = 0; i < slow.size() && got.io == io::Io::again; ++i) {
            client.write(as_bytes(slow).subspan(i, 1));
            got = co_await client.read_some(room, bench.scope.loop().in(4s));
        }
        EXPECT_NE(got.io, io::Io::again);
        EXPECT_LE(bench.scope.loop().now() - began, 11s);
    });
}

TEST(DnsServer, BoundsTheConnectionsOfOneClient) {
    tell_story([](Bench& bench) -> io::Task<void> {
        std::vector<io::Stream> clients;
        for (int i = 0; i < 3; ++i) clients.push_back(bench.connect());  // two of the eight places
        co_await bench.pause();
        std::array<std::byte, 10> room;
        EXPECT_NE((co_await clients[2].read_some(room, bench.scope.loop().in(1s))).io, io::Io::again);
        clients[0].write(as_bytes(framed(testing::query({}))));
        EXPECT_EQ((co_await read_messages(clients[0], 1, bench.scope.loop())).size(), 1U);
        clients.clear();
        co_await bench.pause();
    });
}

TEST(DnsServer, DropsAClientThatDoesNotTakeItsAnswers) {
    tell_story([](Bench& bench) -> io::Task<void> {
        io::Stream client = bench.connect();
        const std::string many = [] {
            std::string out;
            for (int i = 0; i < 2000; ++i) out += framed(testing::query({}));
            return out;
        }();
        for (int i = 0; i < 20; ++i) {
            client.write(as_bytes(many));
            co_await bench.pause();
        }
        co_await io::Sleep(bench.scope.loop(), bench.scope.cancellation(), bench.scope.loop().in(20s));
        EXPECT_TRUE(bench.server.has_tcp_room());
        EXPECT_EQ(bench.counters.numbers().of(telemetry::Protocol::dns).closed.value(), 1U);
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
    tell_story([](Bench& bench) -> io::Task<void> {
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

TEST(DnsServer, StopsListeningWhenItsSocketIsTakenAway) {
    tell_story([](Bench& bench) -> io::Task<void> {
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
