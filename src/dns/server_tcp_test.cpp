// Questions that come by TCP, whole, in pieces or never.
#include "dns/server_testing.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace sallyport::dns {
namespace {

using namespace std::chrono_literals;
using Bench = testing::ServerBench;
using testing::octets;
using testing::tell_server_story;
using testing::told;

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

TEST(DnsServerTcp, AnswersByTcpWhateverPiecesTheQuestionsComeIn) {
    for (const std::size_t piece : {1U, 2U, 7U, 10'000U}) {
        SCOPED_TRACE(piece);
        tell_server_story([piece](Bench& bench) -> io::Task<void> {
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

TEST(DnsServerTcp, AnswersAllThatCameAtOnceHoweverMuchThatIs) {
    tell_server_story([](Bench& bench) -> io::Task<void> {
        config::DnsRecord large = testing::record("large.example.com", {});
        for (std::uint32_t i = 0; i < 60; ++i) large.addresses.push_back({IpAddress::v4(0xAC100000U + i), {}});
        bench.config.dns_records.push_back(large);
        bench.adopt();
        io::Stream client = bench.connect();
        std::string all;
        for (std::uint16_t id = 1; id <= 200; ++id)
            all += framed(testing::query({.name = "large.example.com", .id = id}));
        client.write(as_bytes(all));
        EXPECT_EQ((co_await read_messages(client, 200, bench.scope.loop())).size(), 200U) << "of 1 KB each";
    });
}

TEST(DnsServerTcp, AnswersByTcpInTheOrderOfTheAnswers) {
    tell_server_story([](Bench& bench) -> io::Task<void> {
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

TEST(DnsServerTcp, ClosesIdleAndSenselessConnections) {
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
        tell_server_story([&c](Bench& bench) -> io::Task<void> {
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

TEST(DnsServerTcp, WaitsNoLongerForAQuestionThatComesOctetByOctet) {
    tell_server_story([](Bench& bench) -> io::Task<void> {
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

TEST(DnsServerTcp, BoundsTheConnectionsOfOneClient) {
    tell_server_story([](Bench& bench) -> io::Task<void> {
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

// Is a further connection from there answered? It stays open.
io::Task<bool> is_served(Bench& bench, std::vector<io::Stream>& open, const char* from) {
    open.push_back(bench.connect(from));
    open.back().write(as_bytes(framed(testing::query({}))));
    co_return (co_await read_messages(open.back(), 1, bench.scope.loop())).size() == 1;
}

TEST(DnsServerTcp, BoundsTheConnectionsOfAllAndThoseOfStrangersFirst) {
    tell_server_story([](Bench& bench) -> io::Task<void> {
        std::vector<io::Stream> open;
        // Of eight places two are one client's.
        for (const char* stranger : {"127.0.1.1", "127.0.1.1", "127.0.1.2", "127.0.1.2"})
            EXPECT_TRUE(co_await is_served(bench, open, stranger));
        EXPECT_FALSE(co_await is_served(bench, open, "127.0.1.3"));
        for (const char* client : {"127.0.0.1", "127.0.0.1", "127.0.0.2", "127.0.0.2"})
            EXPECT_TRUE(co_await is_served(bench, open, client));
        EXPECT_FALSE(co_await is_served(bench, open, "127.0.0.3"));
        open.clear();
        co_await bench.pause();
        EXPECT_TRUE(co_await is_served(bench, open, "127.0.0.3"));
        open.clear();
        co_await bench.pause();
    });
}

TEST(DnsServerTcp, DropsAClientThatDoesNotTakeItsAnswers) {
    tell_server_story([](Bench& bench) -> io::Task<void> {
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
        EXPECT_EQ(bench.counters.numbers().of(telemetry::Protocol::dns).closed.value(), 1U);
    });
}

}  // namespace
}  // namespace sallyport::dns
