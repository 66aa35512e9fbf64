// One try of a target, against targets that answer as a test says.
#include "gate/targets/health.hpp"
#include "gate/testing.hpp"
#include "gate/testing_tls.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <functional>
#include <string>
#include <vector>

using namespace sallyport;
using namespace sallyport::gate;
using namespace std::chrono_literals;
using namespace std::string_literals;
using gate::testing::certificates;
using gate::testing::ScriptedTargets;
using gate::testing::snapshot_of;
using telemetry::Reason;
using ::testing::ElementsAreArray;
using ::testing::StartsWith;

namespace {

// How a target goes on once it is connected to.
struct Manners {
    bool shakes_hands = true;         // false: it hangs up on a ClientHello
    std::string answer{};             // to a request; empty: none
    std::size_t piece = 0;            // bytes of the answer that are sent at a time; 0: all
    bool hangs_up = true;             // after that
    bool leaves_at_once = false;
};

struct Outcome {
    Reason reason = Reason::ok;
    std::string detail;
    std::vector<std::string> heard;  // of each connection: its port, TLS and its name, what came first
    Duration took{};
};

// The targets' side, and the try.
struct Trial {
    ScriptedTargets targets;
    io::testing::VirtualLoop loop{ScriptedTargets::calls()};
    StateBook book;
    Manners manners;
    net::NameTable names{{{"pbx.example.net", {*IpAddress::parse("10.0.0.9")}}}};
    io::Cancellation cancellation;
    Outcome out;

    io::Task<void> answer(io::Stream& stream) {
        std::string rest = manners.answer;
        while (!rest.empty()) {
            const std::size_t size = manners.piece == 0 ? rest.size() : std::min(manners.piece, rest.size());
            co_await stream.write_all(rest.substr(0, size), io::Deadline::none);
            rest.erase(0, size);
            co_await io::Yield{*loop};
        }
    }

    io::Task<void> serve(std::string address, io::Fd fd) {
        io::Cancellation never;
        io::Stream stream = *io::Stream::adopt(*loop, std::move(fd), never);
        const std::size_t number = out.heard.size();
        out.heard.push_back(address.substr(address.rfind(':') + 1));
        if (manners.leaves_at_once) co_return;
        std::byte room[4096];
        while (true) {
            const io::Wait waited = co_await stream.readable(io::Deadline::none);
            EXPECT_EQ(waited, io::Wait::ready);
            const io::Got first = stream.peek(room);
            if (first.io == io::Io::again) {
                stream.watched().readable = false;
                continue;
            }
            if (first.io != io::Io::ok) co_return;
            // What stands in front of TLS, in the clear.
            const std::string came(as_text(Bytes(room).first(first.bytes)));
            const std::size_t hello = came.find("\x16\x03\x01");
            if (hello == std::string::npos) break;
            if (hello > 0) out.heard[number] += ' ' + came.substr(0, hello);
            if (hello > 0) stream.read(MutableBytes(room).first(hello));
            if (!manners.shakes_hands && manners.hangs_up) co_return;
            if (!manners.shakes_hands) {
                const std::string dropped = co_await io::testing::read_to_end(stream);
                co_return;
            }
            stream.attach(certificates().server->accept());
            const io::Handshake shaken = co_await io::handshake(stream, io::Deadline::none);
            // One that is only shaken hands with may be gone before our last message.
            out.heard[number] += " tls<" + stream.tls()->server_name() + ">";
            if (shaken.failure != io::TlsFailure::none) co_return;
            break;
        }
        const io::Got got = co_await stream.read_some(room, io::Deadline::none);
        if (got.io != io::Io::ok) co_return;
        out.heard[number] += ' ' + std::string(as_text(Bytes(room).first(got.bytes)));
        co_await answer(stream);
        if (manners.hangs_up) co_return;
        const std::string dropped = co_await io::testing::read_to_end(stream);
    }

    Outcome run(const std::string& text, std::string detail = "") {
        const SnapshotHandle snapshot = snapshot_of(book, text, certificates().client);
        out.detail = std::move(detail);
        loop.run([](Trial& self, const LoopSnapshot& by) -> io::Task<void> {
            io::Scope scope(*self.loop);
            self.targets.accepted = [&self, &scope](const std::string& address, io::Fd fd) {
                scope.spawn(self.serve(address, std::move(fd)));
            };
            const SteadyTime before = self.loop->now();
            self.out.reason = co_await try_once(*self.loop, self.cancellation, by, by.routing->services()[0], 0,
                                                &self.names, self.out.detail);
            self.out.took = self.loop->now() - before;
            co_await scope.join();
        }(*this, *snapshot));
        return std::move(out);
    }
};

std::string service(std::string_view rest, std::string_view target = "10.0.0.1",
                    std::string_view name = "a.example.com", std::string_view protocol = "http") {
    return "[[service]]\nname = \"" + std::string(name) + "\"\nprotocol = \"" + std::string(protocol) +
           "\"\ntarget = [\"" + std::string(target) + "\"]\n" + std::string(rest);
}

constexpr std::string_view both = "plain_port = 80\ntls_port = 443\n";
constexpr std::string_view plain = "plain_port = 80\n";
constexpr std::string_view tls = "tls_port = 443\n";

std::string with(std::string_view ports, std::string_view health) {
    return std::string(ports) + (health.empty() ? "" : "health = \"" + std::string(health) + "\"\n");
}

const std::string request =
    "GET /ok?x HTTP/1.1\r\nHost: a.example.com\r\nUser-Agent: sallyport-health\r\n"
    "Connection: close\r\n\r\n";
const std::string good = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK";

}  // namespace

TEST(TryOnce, TriesThePortsThatTheCheckIsFor) {
    struct Case {
        const char* protocol;
        std::string_view ports;
        const char* health;
        std::vector<std::string> heard;
    };
    const Case cases[] = {
        {"http", plain, "", {"80"}},
        {"http", tls, "", {"443 tls<a.example.com>"}},
        {"http", both, "", {"80", "443 tls<a.example.com>"}},
        {"http", plain, "tcp", {"80"}},
        {"http", tls, "tcp", {"443"}},
        {"http", both, "tcp", {"80", "443"}},
        {"http", tls, "tls", {"443 tls<a.example.com>"}},
        {"http", both, "tls", {"443 tls<a.example.com>"}},
        {"http", plain, "http /ok?x", {"80 " + request}},
        {"http", tls, "http /ok?x", {"443 tls<a.example.com> " + request}},
        {"http", both, "http /ok?x", {"80 " + request}},
        // Passed on unopened: its clients shake hands with it, we need not.
        {"tls", tls, "", {"443"}},
        {"tls", tls, "tcp", {"443"}},
        {"tls", tls, "tls", {"443 tls<a.example.com>"}},
        {"tls", tls, "http /ok?x", {"443 tls<a.example.com> " + request}},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(std::string(c.protocol) + ' ' + std::string(c.ports) + c.health);
        Trial trial;
        trial.manners.answer = good;
        const Outcome out = trial.run(service(with(c.ports, c.health), "10.0.0.1", "a.example.com", c.protocol), "old");
        EXPECT_EQ(code(out.reason), "ok");
        EXPECT_EQ(out.detail, "");
        EXPECT_THAT(out.heard, ElementsAreArray(c.heard));
    }
}

TEST(TryOnce, AsksByTheNameThatTheTargetGoesBy) {
    struct Case {
        const char* target;
        const char* name;
        const char* address;
        const char* server_name;
        const char* host;
    };
    const Case cases[] = {
        {"10.0.0.1", "a.example.com", "10.0.0.1:443", "a.example.com", "a.example.com"},
        {"pbx.example.net", "a.example.com", "10.0.0.9:443", "pbx.example.net", "a.example.com"},
        {"pbx.example.net", "*.example.com", "10.0.0.9:443", "pbx.example.net", "pbx.example.net"},
        {"10.0.0.1", "*.example.com", "10.0.0.1:443", "", "10.0.0.1"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(std::string(c.target) + " for " + c.name);
        Trial trial;
        trial.manners.answer = good;
        const Outcome out = trial.run(service(with(tls, "http /"), c.target, c.name));
        EXPECT_EQ(code(out.reason), "ok") << out.detail;
        EXPECT_EQ(trial.targets.addresses(), std::vector<std::string>{c.address});
        ASSERT_EQ(out.heard.size(), 1U);
        EXPECT_THAT(out.heard[0],
                    StartsWith("443 tls<"s + c.server_name + "> GET / HTTP/1.1\r\nHost: " + c.host + "\r\n"));
    }
}

TEST(TryOnce, SaysWhyATargetIsNoUse) {
    using enum ScriptedTargets::Behavior;
    struct Case {
        const char* what;
        std::string settings;
        ScriptedTargets::Behavior plain_port, tls_port;
        Manners manners;
        const char* reason;
        const char* detail;  // its beginning
        Duration took;
    };
    const std::string asks = with(plain, "http /");
    const Case cases[] = {
        {"refuses", with(plain, "tcp"), refuses, answers, {}, "target.refused", "port 80: Connection refused", 0s},
        {"no route", with(plain, "tcp"), unreachable, answers, {}, "target.unreachable", "port 80: No route", 0s},
        {"silence", with(plain, "tcp"), silent, answers, {}, "target.timeout", "port 80", 5s},
        {"patience",
         with(plain, "tcp") + "connect_timeout = \"2s\"\n",
         silent,
         answers,
         {},
         "target.timeout",
         "port 80",
         2s},
        {"the second port",
         with(both, "tcp"),
         answers,
         refuses,
         {},
         "target.refused",
         "port 443: Connection refused",
         0s},
        {"hangs up on TLS",
         with(tls, "tls"),
         answers,
         answers,
         {.shakes_hands = false},
         "target.tls",
         "port 443: ",
         0s},
        {"silent on TLS",
         with(tls, "tls"),
         answers,
         answers,
         {.shakes_hands = false, .hangs_up = false},
         "target.timeout",
         "port 443: no whole handshake",
         5s},
        {"200", asks, answers, answers, {.answer = good}, "ok", "", 0s},
        {"200, byte by byte", asks, answers, answers, {.answer = good, .piece = 1}, "ok", "", 0s},
        {"204", asks, answers, answers, {.answer = "HTTP/1.1 204 No Content\r\n\r\n"}, "ok", "", 0s},
        {"302", asks, answers, answers, {.answer = "HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n"}, "ok", "", 0s},
        {"399", asks, answers, answers, {.answer = "HTTP/1.1 399 Odd\r\n\r\n"}, "ok", "", 0s},
        {"400",
         asks,
         answers,
         answers,
         {.answer = "HTTP/1.1 400 Bad\r\n\r\n"},
         "target.rejected",
         "it answered 400",
         0s},
        {"503",
         asks,
         answers,
         answers,
         {.answer = "HTTP/1.0 503 Later\r\n\r\n"},
         "target.rejected",
         "it answered 503",
         0s},
        {"the head alone is enough",
         asks,
         answers,
         answers,
         {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", .hangs_up = false},
         "ok",
         "",
         0s},
        {"half an answer", asks, answers, answers, {.answer = "HTTP/1.1 200 OK\r\n"}, "target.closed", "port 80", 0s},
        {"none", asks, answers, answers, {}, "target.closed", "port 80", 0s},
        {"gone before it is asked", asks, answers, answers, {.leaves_at_once = true}, "target.closed", "port 80", 0s},
        {"none, and waits", asks, answers, answers, {.hangs_up = false}, "target.stalled", "port 80", 5s},
        {"another protocol",
         asks,
         answers,
         answers,
         {.answer = "SSH-2.0-OpenSSH_9.2\r\n\r\n"},
         "target.malformed",
         "",
         0s},
        {"a head without end",
         asks,
         answers,
         answers,
         {.answer = "HTTP/1.1 200 OK\r\nX: " + std::string(70000, 'x'), .piece = 5000},
         "target.malformed",
         "",
         0s},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.what);
        Trial trial;
        trial.manners = c.manners;
        trial.targets.behaves = {{"10.0.0.1:80", c.plain_port}, {"10.0.0.1:443", c.tls_port}};
        const Outcome out = trial.run(service(c.settings));
        EXPECT_EQ(code(out.reason), c.reason) << out.detail;
        EXPECT_THAT(out.detail, StartsWith(c.detail));
        EXPECT_EQ(std::string_view(c.reason) == "ok", out.detail.empty());
        EXPECT_GE(out.took, c.took);
        EXPECT_LT(out.took, c.took + 50ms);
    }
}

TEST(TryOnce, HoldsTheTargetsCertificateAgainstTheName) {
    Trial trial;
    const Outcome out = trial.run(service(with(tls, "tls"), "10.0.0.1", "b.example.com"));
    EXPECT_EQ(code(out.reason), "target.tls");
    EXPECT_THAT(out.detail, StartsWith("port 443: "));
    EXPECT_NE(out.detail.find("ostname"), std::string::npos) << out.detail;
}

// What an earlier try found does not stand beside this one's reason.
TEST(TryOnce, ATargetWithoutAnAddressIsUnresolved) {
    Trial trial;
    const Outcome out = trial.run(service(with(plain, "tcp"), "other.example.net"), "port 80: Connection refused");
    EXPECT_EQ(code(out.reason), "target.unresolved");
    EXPECT_EQ(out.detail, "");
    EXPECT_TRUE(trial.targets.dialed.empty());
}

TEST(TryOnce, SaysInAProxyHeaderThatItIsItself) {
    struct Case {
        const char* version;
        std::string_view ports;
        const char* health;
        std::string heard;
    };
    const std::string v1 = "PROXY UNKNOWN\r\n";
    const std::string v2 = "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"s;
    const Case cases[] = {
        {"v1", plain, "tcp", "80 " + v1},
        {"v2", plain, "tcp", "80 " + v2},
        {"v1", plain, "http /ok?x", "80 " + v1 + request},
        {"v1", tls, "tls", "443 " + v1 + " tls<a.example.com>"},
        {"v2", tls, "tls", "443 " + v2 + " tls<a.example.com>"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(std::string(c.version) + ' ' + c.health);
        Trial trial;
        trial.manners = {.answer = good};
        const Outcome out = trial.run(service(with(c.ports, c.health) + "proxy_protocol = \"" + c.version + "\"\n"));
        ASSERT_EQ(out.heard.size(), 1U);
        // The request may come with the header or after it.
        EXPECT_EQ(out.heard[0].substr(0, c.heard.size()), c.heard.substr(0, out.heard[0].size()));
    }
}

TEST(TryOnce, EndsWhenItIsCancelled) {
    for (const char* health : {"tcp", "tls", "http /"}) {
        SCOPED_TRACE(health);
        Trial trial;
        trial.manners = {.shakes_hands = false, .hangs_up = false};
        const bool connects = std::string_view(health) != "tcp";
        trial.targets.behaves["10.0.0.1:443"] = connects ? ScriptedTargets::answers : ScriptedTargets::silent;
        const SnapshotHandle snapshot = snapshot_of(trial.book, service(with(tls, health)), certificates().client);
        Duration took{};
        trial.loop.run([](Trial& on, const LoopSnapshot& by, Duration& seen) -> io::Task<void> {
            io::Scope scope(*on.loop);
            on.targets.accepted = [&](const std::string& address, io::Fd fd) {
                scope.spawn(on.serve(address, std::move(fd)));
            };
            const SteadyTime before = on.loop->now();
            scope.spawn([](Trial& of) -> io::Task<void> {
                io::Cancellation never;
                co_await io::Sleep(*of.loop, never, of.loop->in(1s));
                of.cancellation.request();
            }(on));
            const Reason reason =
                co_await try_once(*on.loop, on.cancellation, by, by.routing->services()[0], 0, nullptr, on.out.detail);
            EXPECT_NE(reason, Reason::ok);
            seen = on.loop->now() - before;
            co_await scope.join();
        }(trial, *snapshot, took));
        EXPECT_LT(took, 1100ms);
    }
}
