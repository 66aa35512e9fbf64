#include "io/timer_wheel.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>
#include <vector>

using namespace sallyport;
using namespace sallyport::io;
using namespace std::chrono_literals;

namespace {

constexpr Duration tick{Duration::rep{1} << TimerWheel::tick_shift};
const SteadyTime start{1000h};

std::size_t due_count(TimerWheel& wheel, SteadyTime now) {
    List<Timer> due;
    wheel.advance(now, due);
    std::size_t count = 0;
    while (due.pop_front() != nullptr) ++count;
    return count;
}

}  // namespace

TEST(TimerWheel, ATimerIsNeverEarlyAndAtMostATickLate) {
    for (const Duration after : {Duration(0ns), Duration(1ns), Duration(5ms), Duration(266ms), Duration(269ms),
                                 Duration(10s), Duration(1h), Duration(72h), Duration(24h * 400)}) {
        SCOPED_TRACE(after.count());
        TimerWheel wheel(start);
        Timer timer;
        wheel.arm(timer, start + after);
        EXPECT_EQ(due_count(wheel, start + after - 1ns), 0U);
        EXPECT_EQ(due_count(wheel, start + after + tick), 1U);
        EXPECT_FALSE(wheel.next());
    }
}

TEST(TimerWheel, NextIsNeverLaterThanTheEarliestDeadline) {
    TimerWheel wheel(start);
    Timer near;
    Timer far;
    wheel.arm(far, start + 1h);
    ASSERT_TRUE(wheel.next());
    EXPECT_LE(*wheel.next(), start + 1h + tick);
    wheel.arm(near, start + 1s);
    EXPECT_LE(*wheel.next(), start + 1s + tick);
    wheel.disarm(near);
    wheel.disarm(far);
    EXPECT_FALSE(wheel.next());
}

// The oracle is a sorted list. Ten thousand random steps of arming, moving, disarming and letting time pass.
TEST(TimerWheel, AgreesWithASortedListWhateverTheOrder) {
    std::mt19937_64 random(7);
    TimerWheel wheel(start);
    std::deque<Timer> timers(200);
    std::vector<std::uint64_t> deadlines(timers.size(), 0);  // in ticks; 0: not armed
    SteadyTime now = start;
    for (int step = 0; step < 10'000; ++step) {
        const std::size_t which = random() % timers.size();
        switch (random() % 4) {
            case 0:
            case 1: {
                const std::uint64_t after = 1 + (random() >> (random() % 40 + 24));  // short ones are more likely
                wheel.arm(timers[which], now + Duration(static_cast<Duration::rep>(after << TimerWheel::tick_shift)));
                deadlines[which] = static_cast<std::uint64_t>((now - start).count() >> TimerWheel::tick_shift) + after;
                break;
            }
            case 2:
                wheel.disarm(timers[which]);
                deadlines[which] = 0;
                break;
            default: {
                const auto next = wheel.next();
                now = random() % 2 == 0 || !next ? now + tick * static_cast<int>(random() % 500) : std::max(now, *next);
                List<Timer> due;
                wheel.advance(now, due);
                const auto present = static_cast<std::uint64_t>((now - start).count() >> TimerWheel::tick_shift);
                while (Timer* timer = due.pop_front()) {
                    const auto index = static_cast<std::size_t>(
                        std::ranges::find_if(timers, [&](Timer& t) { return &t == timer; }) - timers.begin());
                    ASSERT_NE(deadlines[index], 0U);
                    ASSERT_LE(deadlines[index], present);
                    deadlines[index] = 0;
                }
                for (const std::uint64_t deadline : deadlines) ASSERT_TRUE(deadline == 0 || deadline > present);
            }
        }
    }
    for (Timer& timer : timers) wheel.disarm(timer);
}
