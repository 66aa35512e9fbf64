#include "telemetry/log_ring.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <thread>

using namespace sallyport;
using namespace sallyport::telemetry;

namespace {

std::string pop(LogRing& ring) {
    std::array<std::byte, 64> room;
    return std::string(as_text(ring.pop(room)));
}

}  // namespace

TEST(LogRing, GivesFramesBackInOrderAcrossItsEnd) {
    LogRing ring(64);
    for (int i = 0; i < 1000; ++i) {
        const std::string first(static_cast<std::size_t>(i % 23 + 1), 'a');
        const std::string second(static_cast<std::size_t>(i % 7 + 1), 'b');
        ASSERT_TRUE(ring.push(as_bytes(first)));
        ASSERT_TRUE(ring.push(as_bytes(second)));
        ASSERT_EQ(pop(ring), first);
        ASSERT_EQ(pop(ring), second);
        ASSERT_EQ(pop(ring), "");
    }
    EXPECT_EQ(ring.dropped(), 0U);
}

TEST(LogRing, DropsAndCountsWhatDoesNotFitAndTakesMoreOnceRead) {
    LogRing ring(32);
    EXPECT_TRUE(ring.push(as_bytes("twelve bytes")));   // 16 with its length
    EXPECT_TRUE(ring.push(as_bytes("another 12.")));    // 15
    EXPECT_FALSE(ring.push(as_bytes("no")));
    EXPECT_FALSE(ring.push(as_bytes("no")));
    EXPECT_EQ(ring.dropped(), 2U);
    EXPECT_EQ(pop(ring), "twelve bytes");
    EXPECT_TRUE(ring.push(as_bytes("now it fits")));
    EXPECT_EQ(pop(ring), "another 12.");
    EXPECT_EQ(pop(ring), "now it fits");
    EXPECT_EQ(ring.dropped(), 2U);
}

TEST(LogRing, FillsToTheLastByte) {
    LogRing ring(16);
    EXPECT_FALSE(ring.push(as_bytes("thirteen byte")));
    EXPECT_TRUE(ring.push(as_bytes("twelve bytes")));
    EXPECT_EQ(pop(ring), "twelve bytes");
}

TEST(LogRing, CarriesFramesBetweenTwoThreadsLosingOnlyWhatItCounted) {
    constexpr int frames = 100'000;
    LogRing ring(4096);
    std::atomic<bool> written = false;
    std::thread writer([&] {
        for (int i = 0; i < frames; ++i) {
            std::string frame = std::to_string(i);
            frame.append(static_cast<std::size_t>(i % 50), ' ');
            ring.push(as_bytes(frame));
        }
        written = true;
    });
    std::uint64_t read = 0;
    int last = -1;
    bool more = true;
    while (more) {
        more = !written;
        for (std::string frame = pop(ring); !frame.empty(); frame = pop(ring)) {
            const int number = std::stoi(frame);
            ASSERT_GT(number, last);
            ASSERT_EQ(frame.size(), std::to_string(number).size() + static_cast<std::size_t>(number % 50));
            last = number;
            ++read;
        }
    }
    writer.join();
    EXPECT_EQ(read + ring.dropped(), static_cast<std::uint64_t>(frames));
}
