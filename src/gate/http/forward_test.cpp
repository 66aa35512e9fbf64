// A request's way through targets that fail.
#include "gate/testing.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <optional>
#include <string>

using namespace sallyport;
using namespace sallyport::gate;
using namespace std::chrono_literals;
using gate::testing::ScriptedTargets;
using gate::testing::snapshot_of;
using gate::testing::TestGate;

namespace {

constexpr std::string_view two_targets = R"(
[[service]]
name = "a.example.com"
protocol = "http"
target = ["10.100.100.101", "10.100.100.102"]
plain_port = 8080
)";

// A client that has taken nothing so far: not a byte more finds room on the way to it.
io::Fd full(io::Fd fd) {
    const std::string bytes(4096, 'x');
    while (::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0) {}
    while (::send(fd.get(), bytes.data(), 1, MSG_NOSIGNAL) > 0) {}
    return fd;
}

}  // namespace

// The first target drops the request, the second refuses the connection, and the client is slow to take the news.
TEST(Forward, ASessionShowsWhatItIsBusyWithWhileItRefuses) {
    TestGate at;
    at.gate.adopt(snapshot_of(at.book, two_targets));
    at.targets.behaves["10.100.100.102:8080"] = ScriptedTargets::refuses;
    at.run([](TestGate& in) -> io::Task<void> {
        auto [near, far] = io::testing::socket_pair();
        const std::string request = "GET / HTTP/1.1\r\nHost: a.example.com\r\n\r\n";
        EXPECT_EQ(::send(far.get(), request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
        in.gate.take(in.listener, {.fd = full(std::move(near)), .peer = *SocketAddress::parse("192.0.2.1:4000")});
        io::Cancellation never;
        co_await io::Sleep(*in.loop, never, in.loop->in(1s));
        std::string seen;
        in.gate.for_each_session([&](const Session& session) {
            seen = std::string(session.service) + " at " + std::string(session.target);
        });
        EXPECT_EQ(seen, "a.example.com at 10.100.100.102:8080");
        EXPECT_EQ(in.targets.dialed.size(), 2U);
        far = io::Fd();
        co_await io::Sleep(*in.loop, never, in.loop->in(10s));
    }(at));
}
