#include "diagnose/flow_table.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <utility>

namespace sallyport::diagnose {
namespace {

SocketAddress end(unsigned number) {
    return {IpAddress::v4(0x0A000000 + number / 7), static_cast<std::uint16_t>(1000 + number % 7)};
}

TEST(FlowTable, FindsAFlowFromBothEnds) {
    FlowTable table;
    Flow& flow = table.add(end(1), end(2), 6, 0);
    EXPECT_EQ(table.find(end(1), end(2), 6, 0).flow, &flow);
    EXPECT_EQ(table.find(end(1), end(2), 6, 0).side, Side::client);
    EXPECT_EQ(table.find(end(2), end(1), 6, 0).flow, &flow);
    EXPECT_EQ(table.find(end(2), end(1), 6, 0).side, Side::server);
    EXPECT_EQ(table.find(end(1), end(2), 17, 0).flow, nullptr);
    EXPECT_EQ(table.find(end(1), end(2), 6, 1).flow, nullptr);
    EXPECT_EQ(table.find(end(1), end(3), 6, 0).flow, nullptr);
}

TEST(FlowTable, ForgetsTheOldestPastItsLimitAndFindsAllOthers) {
    constexpr std::size_t limit = 3000;
    FlowTable table(limit);
    std::mt19937 random(1);
    std::map<std::pair<unsigned, unsigned>, std::uint32_t> expected;  // the latest of these endpoints
    std::vector<std::pair<unsigned, unsigned>> order;
    for (unsigned i = 0; i < 5 * limit; ++i) {
        const auto a = static_cast<unsigned>(random() % 4000), b = 5000 + static_cast<unsigned>(random() % 4000);
        expected[{a, b}] = table.add(end(a), end(b), 6, 0).number;
        order.emplace_back(a, b);
    }
    EXPECT_EQ(table.size(), limit);
    EXPECT_EQ(table.forgotten(), 4 * limit);
    for (const auto& [pair, number] : expected) {
        const auto found = table.find(end(pair.first), end(pair.second), 6, 0);
        if (number < table.forgotten()) {
            EXPECT_EQ(found.flow, nullptr);
            EXPECT_EQ(table.by_number(number), nullptr);
        } else {
            ASSERT_NE(found.flow, nullptr);
            EXPECT_EQ(found.flow->number, number);
        }
    }
    std::size_t visited = 0;
    table.each([&](const Flow& flow) { EXPECT_EQ(flow.number, 4 * limit + visited++); });
    EXPECT_EQ(visited, limit);
}

TEST(FlowTable, KeepsTheEventsOfAFlowInOrderAndNotWithoutEnd) {
    FlowTable table;
    Flow& flow = table.add(end(1), end(2), 6, 0);
    Flow& between = table.add(end(3), end(4), 6, 0);
    for (PacketNumber packet = 1; packet <= 1000; ++packet) {
        table.note(packet % 2 == 0 ? flow : between, {.packet = packet});
    }
    PacketNumber last = 0;
    std::size_t count = 0;
    table.each_event(flow, [&](const Event& event) {
        EXPECT_GT(event.packet, last);
        last = event.packet;
        ++count;
    });
    EXPECT_EQ(count, max_events);
}

}  // namespace
}  // namespace sallyport::diagnose
