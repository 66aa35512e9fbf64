// One connection that never runs dry must not keep another of the same loop waiting. Counted in turns and bytes, not in
// time.
#include "io/relay.hpp"
#include "io/testing.hpp"

#include <cstdint>
#include <string>

using namespace sallyport;
using namespace sallyport::io;
using io::testing::StreamPair;
using io::testing::VirtualLoop;

namespace {

constexpr std::uint64_t fair_share = 1024 * 1024;  // bytes a turn and direction, as relay.cpp has it

// The bulk connection: its source always has as much as is asked for, its target takes everything.
int bulk_source = -1;
int bulk_target = -1;
std::uint64_t bulk_bytes = 0;

SystemCalls with_bulk() {
    SystemCalls calls;
    calls.recv = [](int fd, void* into, size_t size, int flags) -> ssize_t {
        if (fd != bulk_source) return ::recv(fd, into, size, flags);
        bulk_bytes += size;
        return static_cast<ssize_t>(size);
    };
    calls.send = [](int fd, const void* from, size_t size, int flags) -> ssize_t {
        return fd == bulk_target ? static_cast<ssize_t>(size) : ::send(fd, from, size, flags);
    };
    return calls;
}

struct Bench {
    StreamPair outer;
    StreamPair inner;
    Bench(Loop& loop, Cancellation& cancellation) : outer(loop, cancellation), inner(loop, cancellation) {}
};

Task<void> relays(Bench& bench) {
    Relayed relayed;
    co_await relay(bench.outer.far, bench.inner.near, {}, relayed);
}

Task<void> echoes(Stream& stream) {
    for (;;) {
        std::byte room[16];
        const Got got = co_await stream.read_some(room, Deadline::none);
        if (got.io != Io::ok) co_return;
        EXPECT_EQ(stream.write(Bytes(room).first(got.bytes)), Io::ok);
    }
}

}  // namespace

TEST(RelayFairness, ABulkTransferLetsAPingThroughInEveryTurn) {
    const SystemCalls calls = with_bulk();
    VirtualLoop loop(calls);
    loop.run([](Loop& on) -> Task<void> {
        Scope scope(on);
        Bench bulk(on, scope.cancellation());
        Bench ping(on, scope.cancellation());
        bulk_source = bulk.outer.far.fd();
        bulk_target = bulk.inner.near.fd();
        EXPECT_EQ(bulk.outer.near.write(as_bytes("x")), Io::ok);  // the edge after which it never ends
        scope.spawn(relays(bulk));
        scope.spawn(relays(ping));
        scope.spawn(echoes(ping.inner.far));
        for (int round = 0; round < 100; ++round) {
            const std::uint64_t turns_before = on.turns();
            const std::uint64_t bytes_before = bulk_bytes;
            EXPECT_EQ(ping.outer.near.write(as_bytes("ping")), Io::ok);
            std::byte room[16];
            const Got got = co_await ping.outer.near.read_some(room, Deadline::none);
            EXPECT_EQ(got.bytes, 4U);
            const std::uint64_t turns = on.turns() - turns_before;
            // To the relay, to the target, back to the relay, back to us: a turn each, and one for what was under way.
            EXPECT_LE(turns, 5U);
            EXPECT_LE(bulk_bytes - bytes_before, turns * fair_share);
        }
        EXPECT_GE(bulk_bytes, 100 * fair_share) << "the bulk transfer was to go on all the while";
        scope.cancel();
        co_await scope.join();
    }(*loop));
}
