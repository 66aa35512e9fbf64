#include "turn/quotas.hpp"

#include <gtest/gtest.h>

namespace sallyport::turn {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime start{1h};

TEST(Bucket, PassesTheRateAndTheBurstAndNoMore) {
    Bucket bucket;
    EXPECT_TRUE(bucket.take(500, 1000, 500ms, start));
    EXPECT_FALSE(bucket.take(1, 1000, 500ms, start));
    EXPECT_TRUE(bucket.take(100, 1000, 500ms, start + 100ms));
    EXPECT_FALSE(bucket.take(1, 1000, 500ms, start + 100ms));
    std::uint64_t passed = 0;
    for (auto now = start + 1h; now < start + 1h + 10s; now += 1ms) passed += bucket.take(2, 1000, 500ms, now) ? 2 : 0;
    EXPECT_NEAR(static_cast<double>(passed), 10'500, 5);
}

TEST(Quotas, CountEachUserAndAllTogether) {
    Quotas quotas;
    const Quotas::Limits limits{.per_user = 2, .total = 3};
    auto* first = *quotas.open("alice", limits);
    auto* second = *quotas.open("alice", limits);
    EXPECT_EQ(first, second);
    EXPECT_EQ(quotas.open("alice", limits).error(), Quotas::Refused::user);
    auto* other = *quotas.open("bob", limits);
    EXPECT_EQ(quotas.open("carol", limits).error(), Quotas::Refused::total);
    EXPECT_EQ(quotas.users(), 2U);
    quotas.close(first);
    EXPECT_TRUE(quotas.open("carol", limits));
    quotas.close(second);
    quotas.close(other);
    EXPECT_EQ(quotas.users(), 1U);
    EXPECT_EQ(quotas.allocations(), 1U);
}

TEST(Quotas, OfZeroAreNoLimits) {
    Quotas quotas;
    for (int i = 0; i < 1000; ++i) EXPECT_TRUE(quotas.open("alice", {}));
}

}  // namespace
}  // namespace sallyport::turn
