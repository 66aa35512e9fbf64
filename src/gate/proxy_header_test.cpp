// The header on a connection, and the peeking that it is found by. What is in a header: src/wire/proxy.
#include "gate/proxy_header.hpp"

#include "gate/testing.hpp"
#include "io/peek.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace sallyport;
using namespace sallyport::gate;
using namespace std::chrono_literals;
using namespace std::string_literals;
using gate::testing::TestGate;
using telemetry::Reason;

namespace {

using io::Peeked;

const std::string v1 = "PROXY TCP4 203.0.113.9 198.51.100.2 5000 443\r\n";
const std::string v2 = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xcb\0\x71\x09\xc6\x33\x64\x02\x13\x88\x01\xbb"s;
const std::string unknown = "PROXY UNKNOWN\r\n";
const std::string local = "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"s;
const std::string endless = "\r\n\r\n\0\r\nQUIT\n\x21\x11\x08\0"s;  // 2048 bytes are to follow

// A balancer's connection to a gate.
struct Line {
    Session session;
    io::testing::StreamPair pair;

    explicit Line(TestGate& gate)
        : session(gate.gate, gate.listener, *SocketAddress::parse("192.0.2.1:4000")),
          pair(*gate.loop, session.cancellation) {}
};

enum class Ending { none, shutdown, reset, cancel };

// Sends what is written, a piece at a time; then ends as it is told.
io::Task<void> send_in_pieces(TestGate& gate, Line& line, std::string what, std::size_t piece, Ending ending) {
    io::Cancellation never;
    while (!what.empty()) {
        EXPECT_EQ(line.pair.far.write(as_bytes(what.substr(0, piece))), io::Io::ok);
        what.erase(0, piece);
        co_await io::Sleep(*gate.loop, never, gate.loop->in(1ms));
    }
    if (ending == Ending::shutdown) line.pair.far.shutdown_write();
    if (ending == Ending::reset) line.pair.far.close();
    if (ending == Ending::cancel) line.session.end(Reason::draining);
}

struct Outcome {
    ProxyHeaderRead read;
    SocketAddress client, told_own;
    std::string rest;  // what the next reader finds
    Duration took{};
};

Outcome read(const std::string& what, std::size_t piece = 10'000, Ending ending = Ending::none) {
    TestGate gate;
    Outcome out;
    gate.run([](TestGate& at, std::string bytes, std::size_t size, Ending how, Outcome& into) -> io::Task<void> {
        Line line(at);
        io::Scope scope(*at.loop);
        scope.spawn(send_in_pieces(at, line, std::move(bytes), size, how));
        const SteadyTime before = at.loop->now();
        into.read = co_await read_proxy_header(line.session, line.pair.near);
        into.took = at.loop->now() - before;
        into.client = line.session.client;
        into.told_own = line.session.told_own;
        co_await scope.join();
        std::byte room[10'000];
        const io::Got got = line.pair.near.read(room);
        if (got.io == io::Io::ok) into.rest = as_text(Bytes(room).first(got.bytes));
    }(gate, what, piece, ending, out));
    return out;
}

}  // namespace

TEST(ProxyHeader, NamesTheClientAndLeavesWhatFollows) {
    struct Case {
        const char* what;
        std::string header;
        const char* client;
        const char* told_own;
    };
    const Case cases[] = {
        {"version 1", v1, "203.0.113.9:5000", "198.51.100.2:443"},
        {"version 2", v2, "203.0.113.9:5000", "198.51.100.2:443"},
        {"UNKNOWN", unknown, "192.0.2.1:4000", "[::]:0"},
        {"LOCAL", local, "192.0.2.1:4000", "[::]:0"},
    };
    for (const Case& c : cases) {
        for (const char* rest : {"", "G", "GET / HTTP/1.1\r\n\r\n", "PROXY UNKNOWN\r\n"}) {
            for (const std::size_t piece : {1U, 7U, 10'000U}) {
                SCOPED_TRACE(std::string(c.what) + ", then \"" + rest + "\", by " + std::to_string(piece));
                const Outcome out = read(c.header + rest, piece);
                EXPECT_EQ(out.read.reason, Reason::ok) << out.read.detail;
                EXPECT_FALSE(out.read.silent);
                EXPECT_EQ(out.client.to_string(), c.client);
                EXPECT_EQ(out.told_own.to_string(), c.told_own);
                EXPECT_EQ(out.rest, rest) << "the header is read once, and nothing else";
            }
        }
    }
}

TEST(ProxyHeader, SaysWhyThereIsNone) {
    struct Case {
        const char* what;
        std::string sent;
        std::size_t piece;
        Ending ending;
        const char* reason;
        bool silent;
        Duration took;
    };
    const Case cases[] = {
        {"a probe of the port", "", 1, Ending::shutdown, "ok", true, 0s},
        {"a probe that resets", "", 1, Ending::reset, "ok", true, 0s},
        {"leaves in the middle", v1.substr(0, 20), 100, Ending::shutdown, "client.closed", false, 0s},
        {"leaves in the middle, bytewise", v1.substr(0, 20), 1, Ending::shutdown, "client.closed", false, 20ms},
        {"is gone in the middle", v1.substr(0, 20), 100, Ending::reset, "client.closed", false, 0s},
        {"silence", "", 1, Ending::none, "peek.timeout", false, 10s},
        {"stops in the middle", v2.substr(0, 20), 100, Ending::none, "peek.timeout", false, 10s},
        {"is too slow", v1, 1, Ending::none, "ok", false, 0s},
        {"told to end", "", 1, Ending::cancel, "draining", false, 0s},
        {"told to end in the middle", v1.substr(0, 20), 100, Ending::cancel, "draining", false, 0s},
        {"no header", "GET / HTTP/1.1\r\n\r\n", 100, Ending::none, "proxy.malformed", false, 0s},
        {"no header, and leaves", "X", 100, Ending::shutdown, "proxy.malformed", false, 0s},
        {"a broken one", "PROXY TCP4 203.0.113.9 198.51.100.2 5000 99999\r\n", 100, Ending::none, "proxy.malformed",
         false, 0s},
        {"longer than it may be", endless + std::string(3000, '\0'), 10'000, Ending::none, "proxy.malformed", false,
         0s},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.what);
        const Outcome out = read(c.sent, c.piece, c.ending);
        EXPECT_EQ(code(out.read.reason), c.reason);
        EXPECT_EQ(out.read.silent, c.silent);
        if (out.read.reason == Reason::ok && !out.read.silent) continue;
        EXPECT_EQ(out.client.to_string(), "192.0.2.1:4000") << "nothing is believed";
        EXPECT_EQ(out.rest, c.sent) << "and nothing is taken";
        EXPECT_GE(out.took, c.took);
        EXPECT_LT(out.took, c.took + 100ms);
    }
}

// The time is for the whole header, however it is split.
TEST(ProxyHeader, MustBeWholeInTime) {
    TestGate gate;
    gate.run([](TestGate& at) -> io::Task<void> {
        Line line(at);
        io::Scope scope(*at.loop);
        scope.spawn([](TestGate& of, Line& on) -> io::Task<void> {
            io::Cancellation never;
            for (std::size_t i = 0; i < v1.size() - 1; ++i) {
                on.pair.far.write(as_bytes(v1.substr(i, 1)));
                co_await io::Sleep(*of.loop, never, of.loop->in(1s));
            }
        }(at, line));
        const SteadyTime before = at.loop->now();
        const ProxyHeaderRead late = co_await read_proxy_header(line.session, line.pair.near);
        EXPECT_EQ(late.reason, Reason::peek_timeout);
        EXPECT_LT(at.loop->now() - before, 10100ms);
        co_await scope.join();
    }(gate));
}

TEST(ProxyHeader, IsWrittenForTargets) {
    const SocketAddress client = *SocketAddress::parse("203.0.113.9:5000");
    const SocketAddress own = *SocketAddress::parse("198.51.100.2:443");
    EXPECT_EQ(write_proxy_header(config::ProxyProtocol::v1, client, own), v1);
    EXPECT_EQ(write_proxy_header(config::ProxyProtocol::v2, client, own), v2);
    EXPECT_EQ(write_local_proxy_header(config::ProxyProtocol::v1), unknown);
    EXPECT_EQ(write_local_proxy_header(config::ProxyProtocol::v2), local);
    const SocketAddress six = *SocketAddress::parse("[2001:db8::1]:5000");
    EXPECT_EQ(write_proxy_header(config::ProxyProtocol::v1, six, *SocketAddress::parse("[2001:db8::2]:443")),
              "PROXY TCP6 2001:db8::1 2001:db8::2 5000 443\r\n");
}

TEST(Peek, ShowsAllThatIsThereAgainEachTime) {
    TestGate gate;
    gate.run([](TestGate& at) -> io::Task<void> {
        Line line(at);
        io::Scope scope(*at.loop);
        scope.spawn(send_in_pieces(at, line, "abcdef", 2, Ending::none));
        std::vector<std::string> seen;
        const auto enough = [&](Bytes bytes) {
            seen.emplace_back(as_text(bytes));
            return bytes.size() >= 4;
        };
        const Peeked peeked = co_await peek_until(line.pair.near, 100, at.loop->in(1s), enough);
        EXPECT_EQ(peeked, Peeked::enough);
        seen.erase(std::ranges::unique(seen).begin(), seen.end());  // the first edge tells of what was there already
        EXPECT_EQ(seen, (std::vector<std::string>{"ab", "abcd"}));
        co_await scope.join();
        std::byte room[100];
        const io::Got got = co_await line.pair.near.read_some(room, at.loop->in(1s));
        EXPECT_EQ(as_text(Bytes(room).first(got.bytes)), "abcdef") << "nothing was taken";
    }(gate));
}

TEST(Peek, EndsWhereMoreCannotHelp) {
    struct Case {
        const char* what;
        std::size_t bytes;
        Ending ending;
        Peeked peeked;
    };
    const Case cases[] = {
        {"nothing, and the end", 0, Ending::shutdown, Peeked::silent},
        {"nothing, and gone", 0, Ending::reset, Peeked::silent},
        {"too little, and the end", 9, Ending::shutdown, Peeked::ended},
        {"too little, and gone", 9, Ending::reset, Peeked::ended},
        {"as much as there may be", 10, Ending::none, Peeked::too_much},
        {"more than there may be", 500, Ending::none, Peeked::too_much},
        {"as much as there may be, and the end", 10, Ending::shutdown, Peeked::too_much},
        {"too little", 9, Ending::none, Peeked::late},
        {"nothing", 0, Ending::none, Peeked::late},
        {"cancelled", 9, Ending::cancel, Peeked::cancelled},
        {"cancelled before the first", 0, Ending::cancel, Peeked::cancelled},
    };
    for (const Case& c : cases) {
        for (const std::size_t piece : {1U, 1000U}) {
            SCOPED_TRACE(std::string(c.what) + ", by " + std::to_string(piece));
            TestGate gate;
            gate.run([](TestGate& at, const Case& how, std::size_t size) -> io::Task<void> {
                Line line(at);
                io::Scope scope(*at.loop);
                scope.spawn(send_in_pieces(at, line, std::string(how.bytes, 'x'), size, how.ending));
                const auto never_enough = [&](Bytes bytes) {
                    EXPECT_GE(bytes.size(), 1U);
                    EXPECT_LE(bytes.size(), 10U);
                    return false;
                };
                EXPECT_EQ(co_await peek_until(line.pair.near, 10, at.loop->in(5s), never_enough), how.peeked);
                co_await scope.join();
            }(gate, c, piece));
        }
    }
}
