#include "io/signals.hpp"

#include "io/testing.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <csignal>
#include <thread>
#include <vector>

using namespace sallyport;
using namespace sallyport::io;
using namespace std::chrono_literals;
using io::testing::VirtualLoop;

namespace {

// The mask of this thread as it was, so that the tests that follow see nothing of these.
class KeepsMask {
public:
    KeepsMask() { pthread_sigmask(SIG_SETMASK, nullptr, &before_); }
    ~KeepsMask() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    KeepsMask(const KeepsMask&) = delete;
    KeepsMask& operator=(const KeepsMask&) = delete;

private:
    sigset_t before_{};
};

constexpr int served[] = {SIGUSR1, SIGUSR2, SIGHUP};

SignalReader reader(Loop& loop, Cancellation& cancellation) {
    return *SignalReader::adopt(loop, *block_signals(served), cancellation);
}

Task<void> raises(int signal) {
    ::kill(::getpid(), signal);
    co_return;
}

}  // namespace

TEST(Signals, TheNextOneIsAwaited) {
    const KeepsMask mask;
    VirtualLoop loop;
    loop.run([](Loop& on) -> Task<void> {
        Cancellation cancellation;
        SignalReader signals = reader(on, cancellation);
        Scope scope(on);
        scope.spawn([](Loop& l, Cancellation& c) -> Task<void> {
            co_await Sleep(l, c, l.in(10s));
            co_await raises(SIGUSR1);
        }(on, cancellation));
        const auto first = co_await signals.next(Deadline::none);
        EXPECT_EQ(first, SIGUSR1);
        co_await scope.join();
    }(*loop));
}

TEST(Signals, WhatCameBeforeTheWaitIsNotLost) {
    const KeepsMask mask;
    VirtualLoop loop;
    loop.run([](Loop& on) -> Task<void> {
        Cancellation cancellation;
        Fd fd = *block_signals(served);
        for (const int signal : served) co_await raises(signal);
        SignalReader signals = *SignalReader::adopt(on, std::move(fd), cancellation);
        std::vector<int> seen;
        for (std::size_t i = 0; i < std::size(served); ++i) {
            const auto signal = co_await signals.next(on.in(1s));
            seen.push_back(signal.value_or(0));
        }
        EXPECT_THAT(seen, ::testing::UnorderedElementsAreArray(served));
        const auto none = co_await signals.next(on.in(1s));
        EXPECT_EQ(none, std::unexpected(Wait::timeout));
    }(*loop));
}

TEST(Signals, CancellationEndsTheWait) {
    const KeepsMask mask;
    VirtualLoop loop;
    loop.run([](Loop& on) -> Task<void> {
        Cancellation cancellation;
        SignalReader signals = reader(on, cancellation);
        cancellation.request();
        const auto none = co_await signals.next(Deadline::none);
        EXPECT_EQ(none, std::unexpected(Wait::cancelled));
    }(*loop));
}

TEST(Signals, ThreadsThatAreStartedLaterBlockThemToo) {
    const KeepsMask mask;
    const Fd fd = *block_signals(served);
    sigset_t blocked;
    sigemptyset(&blocked);
    std::thread([&blocked] { pthread_sigmask(SIG_SETMASK, nullptr, &blocked); }).join();
    for (const int signal : served) EXPECT_EQ(sigismember(&blocked, signal), 1) << signal;
    EXPECT_EQ(sigismember(&blocked, SIGTERM), 0);
}

TEST(Signals, ANumberThatIsNoSignalIsAnError) {
    const int wrong[] = {SIGUSR1, 1000};
    const auto fd = block_signals(wrong);
    ASSERT_FALSE(fd.has_value());
    EXPECT_EQ(fd.error().message, "there is no signal 1000");
}
