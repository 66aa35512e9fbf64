#include "diagnose/time_scale.hpp"

#include <gtest/gtest.h>

namespace sallyport::diagnose {
namespace {

constexpr Time second = 1'000'000'000;

TEST(TimeScale, DrawsAWaitOfSecondsInACaptureOfHours) {
    const std::vector<Interval> busy{{7200 * second, 7220 * second}, {0, 20 * second}, {7225 * second, 7225 * second}};
    const TimeScale scale(busy, 100, 900);
    ASSERT_EQ(scale.pieces().size(), 2U);  // five seconds are drawn, two hours are not
    EXPECT_DOUBLE_EQ(scale.x(0), 100);
    EXPECT_DOUBLE_EQ(scale.x(7225 * second), 900);
    EXPECT_GT(scale.x(20 * second) - scale.x(0), 300);
    EXPECT_LT(scale.x(20 * second), scale.x(7200 * second));
    EXPECT_EQ(scale.marks(scale.pieces()[0]).front().label, "0 s");
    EXPECT_EQ(scale.marks(scale.pieces()[1]).front().label, "7200 s");
}

TEST(TimeScale, KeepsOnePieceWhereNothingIsLeftOut) {
    const TimeScale scale({{0, second}, {9 * second, 20 * second}}, 0, 100);
    EXPECT_EQ(scale.pieces().size(), 1U);
    EXPECT_DOUBLE_EQ(scale.x(10 * second), 50);
}

TEST(TimeScale, HoldsForWhateverCaptureClocksSay) {
    for (const Time end : {Time{0}, Time{1}, Time{1'000}, INT64_MAX / 2}) {
        const TimeScale scale({{0, end}, {end, end}}, 0, 100);
        for (const auto& piece : scale.pieces()) EXPECT_LE(scale.marks(piece).size(), 20U);
        EXPECT_GE(scale.x(end), 0);
        EXPECT_LE(scale.x(end), 100);
    }
    std::vector<Interval> many;
    for (Time at = 0; at < 100; ++at) many.push_back({at * 1000 * second, at * 1000 * second});
    EXPECT_LE(TimeScale(many, 0, 700).pieces().size(), 8U);
}

}  // namespace
}  // namespace sallyport::diagnose
