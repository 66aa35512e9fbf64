#include "telemetry/log_waker.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

using namespace sallyport::telemetry;

TEST(LogWaker, EndsAWaitThatHasNotBegunYet) {
    LogWaker waker;
    waker.wake();
    waker.wake();
    waker.wait(std::nullopt);
    waker.wait(std::chrono::milliseconds(0));  // nothing is left over
}

// Ends only where nothing is ever left unseen while the one that reads sleeps.
TEST(LogAlarm, LosesNoReportToAThreadThatFallsAsleep) {
    constexpr int reports = 20'000;
    LogWaker waker;
    LogAlarm alarm(&waker);
    std::atomic<int> reported{0};
    std::atomic<int> seen{0};
    std::jthread log([&] {
        const auto look = [&] {
            const int now = reported.load(std::memory_order_relaxed);
            return seen.exchange(now) != now;
        };
        while (seen.load() < reports) {
            if (look()) continue;
            alarm.arm();
            if (!look()) waker.wait(std::nullopt);
        }
    });
    for (int i = 1; i <= reports; ++i) {
        reported.store(i, std::memory_order_relaxed);
        alarm.trip();
        while (i % 2 == 0 && seen.load() < i) std::this_thread::yield();  // lets it fall asleep now and then
    }
    log.join();
    EXPECT_EQ(seen.load(), reports);
}
