#include "diagnose/flow_table.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <utility>
#include <vector>

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

TEST(FlowTable, EventsOfForgottenFlowsMakeRoom) {
    FlowTable table(2, 6);
    for (unsigned number = 1; number <= 50; ++number) {
        Flow& flow = table.add(end(number), end(100 + number), 6, 0);
        for (PacketNumber packet = 1; packet <= 3; ++packet) table.note(flow, {.packet = 10 * number + packet});
        std::vector<PacketNumber> noted;
        table.each([&](const Flow& kept) {
            table.each_event(kept, [&](const Event& event) { noted.push_back(event.packet); });
        });
        const PacketNumber last = 10 * number;
        if (number == 1) EXPECT_EQ(noted, (std::vector<PacketNumber>{11, 12, 13}));
        if (number > 1)
            EXPECT_EQ(noted, (std::vector<PacketNumber>{last - 9, last - 8, last - 7, last + 1, last + 2, last + 3}));
        EXPECT_EQ(table.lost_events(), 0U);
    }
    table.note(table.add(end(51), end(151), 6, 0), {.packet = 1});
    EXPECT_EQ(table.lost_events(), 0U);
    for (PacketNumber packet = 2; packet <= 9; ++packet)
        table.note(*table.find(end(51), end(151), 6, 0).flow, {.packet = packet});
    EXPECT_EQ(table.lost_events(), 6U) << "of nine there is room for three: the flow before has the others";
}

TEST(FlowTable, KeepsEachKindOfIcmpErrorOnce) {
    FlowTable table;
    const IcmpError error{.reporter = IpAddress::v4(1), .type = 3, .code = 13};
    const auto first = table.keep(error);
    const auto other = table.keep({.reporter = IpAddress::v4(1), .type = 3, .code = 3});
    EXPECT_NE(first, other);
    EXPECT_EQ(table.keep(error), first);
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
