// Limits on bits for streams: what a second brings, whoever takes it, and that nothing is paid for twice.
#include "turn/bit_limits.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <optional>
#include <vector>

namespace sallyport::turn {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime start{1000s};

// What a greedy stream gets in this time.
std::size_t taken_within(Duration time, const std::vector<BitLimit>& limits, SteadyTime from = start) {
    std::size_t bytes = 0;
    for (SteadyTime now = from; now < from + time;) {
        const BitGrant grant = take_bits(limits, now);
        bytes += grant.bytes;
        if (grant.bytes == 0) {
            EXPECT_GT(grant.again, now);
            now = grant.again;
        }
    }
    return bytes;
}

TEST(BitLimits, BringWhatTheLeastOfThemAllows) {
    struct Case {
        std::array<std::uint64_t, 3> per_second;
        std::size_t bytes_in_ten;
    };
    for (const auto& [per_second, bytes] : {Case{{80'000, 0, 0}, 100'000}, Case{{0, 1'000'000'000, 80'000}, 100'000},
                                            Case{{8'000, 80'000, 8'000'000}, 10'000}, Case{{0, 0, 800}, 1'000}}) {
        std::array<Bucket, 3> buckets;
        std::vector<BitLimit> limits;
        for (std::size_t i = 0; i < buckets.size(); ++i) limits.push_back({&buckets[i], per_second[i]});
        const std::size_t got = taken_within(10s, limits);
        EXPECT_GE(got, bytes);
        EXPECT_LE(got, bytes + bytes / 40 + bytes / 80);  // the burst, and one share that was under way
    }
}

TEST(BitLimits, OfZeroAreNone) {
    const std::vector<BitLimit> none(3);
    for (int i = 0; i < 10; ++i) {
        const std::size_t granted = take_bits(none, start).bytes;
        EXPECT_GE(granted, std::size_t{1} << 40);
        give_back_bits(none, granted - 1);
    }
}

TEST(BitLimits, AreSharedByAllThatHaveThem) {
    Bucket bucket;
    const std::vector<BitLimit> limits{{&bucket, 80'000}};
    std::array<std::size_t, 2> got{};
    std::array<SteadyTime, 2> again{start, start};
    for (SteadyTime now = start; now < start + 10s; now += 1ms) {
        for (std::size_t i = 0; i < got.size(); ++i) {
            if (now < again[i]) continue;
            const BitGrant grant = take_bits(limits, now);
            got[i] += grant.bytes;
            again[i] = grant.bytes == 0 ? grant.again : now;
        }
    }
    EXPECT_LE(got[0] + got[1], 104'000U);
    EXPECT_GE(got[0] + got[1], 100'000U);
}

TEST(BitLimits, TakeNothingFromTheOthersWhereOneHasNothingLeft) {
    Bucket wide;
    Bucket narrow;
    const std::vector<BitLimit> limits{{&wide, 80'000}, {&narrow, 8'000}};
    taken_within(1s, limits);
    const SteadyTime later = start + 1s;
    for (int i = 0; i < 1000; ++i) take_bits(limits, later);
    EXPECT_TRUE(wide.take(8 * 1'000, 80'000, 250ms, later));
}

TEST(BitLimits, AreGivenBackWhatWasNotUsed) {
    Bucket bucket;
    const std::vector<BitLimit> limits{{&bucket, 80'000}};
    for (int i = 0; i < 1000; ++i) {
        const BitGrant grant = take_bits(limits, start);
        ASSERT_EQ(grant.bytes, 1'250U) << i;
        give_back_bits(limits, grant.bytes);
    }
}

TEST(BitLimits, LeaveHalfOfTheBurstToDatagrams) {
    Bucket bucket;
    const std::vector<BitLimit> limits{{&bucket, 80'000}};
    while (take_bits(limits, start).bytes != 0) {}
    EXPECT_TRUE(bucket.take(8 * 2'000, 80'000, 500ms, start));
}

}  // namespace
}  // namespace sallyport::turn
