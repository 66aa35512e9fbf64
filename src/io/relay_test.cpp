#include "io/relay.hpp"

#include "io/relay_testing.hpp"

#include <random>

using namespace sallyport;
using namespace sallyport::io;
using namespace std::chrono_literals;
using io::testing::Ended;
using io::testing::read_to_end;
using io::testing::relays;
using io::testing::sends_all_then_ends;
using io::testing::VirtualLoop;
using Bench = io::testing::RelayBench;

namespace {

std::string noise(std::size_t size) {
    std::mt19937 random(1);
    std::string out(size, '\0');
    for (char& c : out) c = static_cast<char>(random());
    return out;
}

// sslh 1.20 loses the answer here: the client ends its side, and the target answers only then.
Task<void> half_closes(Loop& loop, const std::string& question, const std::string& answer, Ended& relayed) {
    Bench bench(loop);
    Scope scope(loop);
    scope.spawn(relays(bench, {}, relayed));
    scope.spawn(sends_all_then_ends(bench.client(), question));
    scope.spawn([](Bench& b, const std::string& asked, const std::string& answered) -> Task<void> {
        const std::string got = co_await read_to_end(b.target());
        EXPECT_EQ(got == asked, true);
        co_await sends_all_then_ends(b.target(), answered);
    }(bench, question, answer));
    const std::string got = co_await read_to_end(bench.client());
    EXPECT_EQ(got == answer, true);
    co_await scope.join();
}

SystemCalls with_recv(decltype(SystemCalls::recv) recv) {
    SystemCalls calls;
    calls.recv = recv;
    return calls;
}
SystemCalls with_send(decltype(SystemCalls::send) send) {
    SystemCalls calls;
    calls.send = send;
    return calls;
}

}  // namespace

TEST(Relay, CarriesBothWaysAndKeepsTheAnswerAfterAHalfClose) {
    struct Case {
        const char* name;
        SystemCalls calls;
        std::size_t up;
        std::size_t down;
    };
    const Case cases[] = {
        {"plain sockets", {}, 5'000'000, 3'000'000},
        {"nothing at all", {}, 0, 0},
        {"reads of one byte",
         with_recv([](int fd, void* into, size_t, int flags) { return ::recv(fd, into, 1, flags); }), 3000, 2000},
        {"writes of one byte",
         with_send([](int fd, const void* from, size_t, int flags) { return ::send(fd, from, 1, flags); }), 3000, 2000},
        {"every other read is interrupted", with_recv([](int fd, void* into, size_t size, int flags) -> ssize_t {
             static int calls = 0;
             if (++calls % 2 == 0) {
                 errno = EINTR;
                 return -1;
             }
             return ::recv(fd, into, size, flags);
         }),
         100'000, 100'000},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        VirtualLoop loop(c.calls);
        Ended relayed;
        loop.run(half_closes(*loop, noise(c.up), noise(c.down), relayed));
        EXPECT_EQ(relayed.end, RelayEnd::both_closed);
        EXPECT_EQ(relayed.to_target, c.up);
        EXPECT_EQ(relayed.to_client, c.down);
    }
}

TEST(Relay, AnIdleLimitEndsItAndTrafficPutsThatOff) {
    VirtualLoop loop;
    Ended relayed;
    const SteadyTime before = loop->now();
    loop.run([](Loop& on, Ended& into) -> Task<void> {
        Bench bench(on);
        Scope scope(on);
        scope.spawn(relays(bench, {.idle = 60s, .half_closed = {}}, into));
        Cancellation sleeping;
        co_await Sleep(on, sleeping, on.in(50s));
        EXPECT_EQ(bench.client().write(as_bytes("still here")), Io::ok);
        co_await scope.join();
    }(*loop, relayed));
    EXPECT_EQ(relayed.end, RelayEnd::idle);
    EXPECT_GE(loop->now() - before, 110s);
}

// Passes on in capitals, and refuses whoever says "no".
struct Listens final : RelayWatch {
    bool from_client(Bytes bytes, Stream& client, Stream& target) override {
        if (as_text(bytes) == "no") return client.write(as_bytes("refused")), false;
        return target.write(as_bytes("UP")), true;
    }
    bool from_target(Bytes, Stream& client, Stream&) override { return client.write(as_bytes("DOWN")), true; }
};

TEST(Relay, AWatchPassesOnWhatGoesOnAndNothingFollowsItsRefusal) {
    VirtualLoop loop;
    Ended relayed;
    loop.run([](Loop& on, Ended& into) -> Task<void> {
        Bench bench(on);
        Scope scope(on);
        Listens watch;
        std::byte room[16];
        scope.spawn(relays(bench, {}, into, &watch));
        bench.client().write(as_bytes("up"));
        const Got up = co_await bench.target().read_some(room, on.in(1s));
        EXPECT_EQ(as_text(Bytes(room).first(up.bytes)), "UP");
        bench.target().write(as_bytes("down"));
        const Got down = co_await bench.client().read_some(room, on.in(1s));
        EXPECT_EQ(as_text(Bytes(room).first(down.bytes)), "DOWN");
        bench.target().write(as_bytes("late"));
        bench.client().write(as_bytes("no"));
        co_await scope.join();
        const std::string said = co_await read_to_end(bench.client());
        EXPECT_EQ(said, "refused");
    }(*loop, relayed));
    EXPECT_EQ(relayed.end, RelayEnd::refused);
    EXPECT_EQ(relayed.to_target, 4U) << "what came, not what was made of it";
}

TEST(Relay, NoLimitMeansDays) {
    VirtualLoop loop;
    Ended relayed;
    loop.run([](Loop& on, Ended& into) -> Task<void> {
        Bench bench(on);
        Scope scope(on);
        scope.spawn(relays(bench, {}, into));
        Cancellation sleeping;
        co_await Sleep(on, sleeping, on.in(24h * 30));
        EXPECT_EQ(bench.target().write(as_bytes("ring")), Io::ok);
        std::byte room[8];
        const Got got = co_await bench.client().read_some(room, on.in(1s));
        EXPECT_EQ(as_text(Bytes(room).first(got.bytes)), "ring");
        bench.cancellation.request();
        co_await scope.join();
    }(*loop, relayed));
    EXPECT_EQ(relayed.end, RelayEnd::cancelled);
}

TEST(Relay, ASlowReaderBoundsWhatIsKept) {
    VirtualLoop loop;
    Ended relayed;
    loop.run([](Loop& on, Ended& into) -> Task<void> {
        Bench bench(on);
        Scope scope(on);
        scope.spawn(relays(bench, {}, into));
        scope.spawn(
            [](Bench& b) -> Task<void> { co_await b.target().write_all(noise(20'000'000), Deadline::none); }(bench));
        Cancellation sleeping;
        co_await Sleep(on, sleeping, on.in(1s));
        EXPECT_LE(bench.outer.far.unsent(), Loop::buffer_size);
        EXPECT_GT(bench.outer.far.unsent(), 0U);
        bench.cancellation.request();
        co_await scope.join();
    }(*loop, relayed));
}

TEST(Relay, ABrokenSideIsNamedAndTheOtherIsReset) {
    for (const bool client_breaks : {true, false}) {
        SCOPED_TRACE(client_breaks);
        static int broken_fd;
        const SystemCalls calls = with_recv([](int fd, void* into, size_t size, int flags) -> ssize_t {
            if (fd != broken_fd) return ::recv(fd, into, size, flags);
            errno = ECONNRESET;
            return -1;
        });
        VirtualLoop loop(calls);
        Ended relayed;
        loop.run([](Loop& on, bool client, Ended& into) -> Task<void> {
            Bench bench(on);
            broken_fd = client ? bench.outer.far.fd() : bench.inner.near.fd();
            Stream& speaker = client ? bench.client() : bench.target();
            EXPECT_EQ(speaker.write(as_bytes("x")), Io::ok);
            Scope scope(on);
            scope.spawn(relays(bench, {}, into));
            co_await scope.join();
        }(*loop, client_breaks, relayed));
        EXPECT_EQ(relayed.end, client_breaks ? RelayEnd::client_failed : RelayEnd::target_failed);
    }
}
