#include "io/event.hpp"
#include "io/testing.hpp"

#include <algorithm>
#include <thread>

using namespace sallyport;
using namespace sallyport::io;
using namespace std::chrono_literals;
using io::testing::StreamPair;
using io::testing::VirtualLoop;

namespace {

Task<void> sleeps(Loop& loop, Cancellation& cancellation, Duration time, std::string& log, std::string name) {
    const Wait waited = co_await Sleep(loop, cancellation, loop.in(time));
    log += name + (waited == Wait::timeout ? " woke;" : " was cancelled;");
}

}  // namespace

TEST(Loop, VirtualTimePassesAnHourAtOnceAndInOrder) {
    VirtualLoop loop;
    std::string log;
    const SteadyTime before = loop->now();
    loop.run([](Loop& on, std::string& into) -> Task<void> {
        Scope scope(on);
        scope.spawn(sleeps(on, scope.cancellation(), 1h, into, "hour"));
        scope.spawn(sleeps(on, scope.cancellation(), 1s, into, "second"));
        co_await scope.join();
    }(*loop, log));
    EXPECT_EQ(log, "second woke;hour woke;");
    EXPECT_GE(loop->now() - before, 1h);
    EXPECT_LT(loop->now() - before, 1h + 10ms);
}

TEST(Scope, CancelWakesEveryChildAndJoinWaitsForThem) {
    VirtualLoop loop;
    std::string log;
    loop.run([](Loop& on, std::string& into) -> Task<void> {
        Scope scope(on);
        scope.spawn(sleeps(on, scope.cancellation(), 1h, into, "a"));
        scope.spawn(sleeps(on, scope.cancellation(), 2h, into, "b"));
        scope.cancel();
        EXPECT_EQ(scope.running(), 2U);  // cooperative: they unwind by themselves
        co_await scope.join();
        scope.spawn(sleeps(on, scope.cancellation(), 1h, into, "late"));  // a cancelled scope's awaits end at once
        co_await scope.join();
    }(*loop, log));
    EXPECT_EQ(log, "a was cancelled;b was cancelled;late was cancelled;");
}

TEST(Loop, PostsFromOtherThreadsAllArriveAndInOrder) {
    auto loop = *Loop::create();
    std::vector<int> seen;
    std::thread other([&] {
        for (int i = 0; i < 10'000; ++i) loop->post([&seen, i] { seen.push_back(i); });
        loop->post([&] { loop->stop(); });  // called here it would not wait for what is still to be run
    });
    loop->run();
    other.join();
    ASSERT_EQ(seen.size(), 10'000U);
    EXPECT_TRUE(std::ranges::is_sorted(seen));
}

TEST(Event, WakesItsWaiterAndTimesOutOtherwise) {
    VirtualLoop loop;
    loop.run([](Loop& on) -> Task<void> {
        Event event(on);
        const Wait late = co_await event.wait(on.in(5s));
        EXPECT_EQ(late, Wait::timeout);
        event.raise();
        const Wait at_once = co_await event.wait(on.in(5s));
        EXPECT_EQ(at_once, Wait::ready);
        EXPECT_FALSE(event.raised());
    }(*loop));
}

TEST(Stream, ADeadlineEndsAReadAndDataEndsItEarlier) {
    VirtualLoop loop;
    loop.run([](Loop& on) -> Task<void> {
        Cancellation cancellation;
        StreamPair pair(on, cancellation);
        std::byte room[16];
        const SteadyTime before = on.now();
        const Got nothing = co_await pair.near.read_some(room, on.in(10s));
        EXPECT_EQ(nothing.io, Io::again);
        EXPECT_GE(on.now() - before, 10s);
        EXPECT_EQ(pair.far.write(as_bytes("hello")), Io::ok);
        const Got got = co_await pair.near.read_some(room, on.in(10s));
        EXPECT_EQ(as_text(Bytes(room).first(got.bytes)), "hello");
    }(*loop));
}

TEST(Stream, ClosingItWakesWhoWaitsOnIt) {
    VirtualLoop loop;
    loop.run([](Loop& on) -> Task<void> {
        Cancellation cancellation;
        StreamPair pair(on, cancellation);
        Scope scope(on);
        bool woken = false;
        scope.spawn([](Stream& stream, bool& flag) -> Task<void> {
            const Wait waited = co_await stream.readable(Deadline::none);
            flag = waited == Wait::cancelled;
        }(pair.near, woken));
        pair.near.close();
        co_await scope.join();
        EXPECT_TRUE(woken);
    }(*loop));
}

// Another owner of the same socket, say a program that is just being started, keeps it open and epoll interested in it.
TEST(Stream, AClosedOneIsForgottenEvenWhileItsSocketLivesOn) {
    VirtualLoop loop;
    loop.run([](Loop& on) -> Task<void> {
        Cancellation cancellation;
        StreamPair pair(on, cancellation);
        const Fd copy(::dup(pair.near.fd()));
        pair.near.close();
        for (int i = 0; i < 5; ++i) co_await Yield{on};
        EXPECT_EQ(pair.far.write(as_bytes("for the other owner")), Io::ok);
        for (int i = 0; i < 5; ++i) co_await Yield{on};  // an event for the closed stream would come now
    }(*loop));
}
