#include "dns/health.hpp"

#include <gtest/gtest.h>

namespace sallyport::dns {
namespace {

using namespace std::chrono_literals;

TEST(DnsHealth, FailsAfterTwoMissesAndComesBackWithOneAnswer) {
    const SteadyTime t0{1h};
    Health health;
    health.missed(t0);
    EXPECT_FALSE(health.failing()) << "one datagram may be lost";
    health.answered(10ms);
    health.missed(t0);
    EXPECT_FALSE(health.failing()) << "not in a row";
    health.missed(t0);
    EXPECT_TRUE(health.failing());
    health.answered(10ms);
    EXPECT_FALSE(health.failing());
}

TEST(DnsHealth, IsTriedAfterPausesThatDouble) {
    SteadyTime now{1h};
    Health health;
    health.missed(now);
    health.missed(now);
    for (const auto pause : {1s, 2s, 4s, 8s, 16s, 32s, 32s}) {
        EXPECT_EQ(health.next_try() - now, pause);
        health.missed(now);  // of a question that was under way: no reason to wait longer
        EXPECT_EQ(health.next_try() - now, pause);
        now = health.next_try();
        health.trying(now);
    }
}

TEST(DnsHealth, IsWaitedForALittleLongerThanItUsuallyTakes) {
    Health health;
    EXPECT_EQ(health.patience(), 800ms);
    for (int i = 0; i < 50; ++i) health.answered(1ms);
    EXPECT_EQ(health.patience(), 300ms);
    for (int i = 0; i < 50; ++i) health.answered(250ms);
    EXPECT_GT(health.patience(), 499ms);
    EXPECT_LT(health.patience(), 600ms);
    for (int i = 0; i < 50; ++i) health.answered(5s);
    EXPECT_EQ(health.patience(), 1500ms);
}

}  // namespace
}  // namespace sallyport::dns
