#include "wire/packet/fragments.hpp"

#include "base/text.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace sallyport::packet {
namespace {

constexpr std::int64_t second = 1'000'000'000;

// A UDP datagram from port 4000 to 53 with this payload.
std::string udp(const std::string& payload) {
    std::string out("\x0F\xA0\0\x35\0\0\0\0", 8);
    out[4] = static_cast<char>((payload.size() + 8) >> 8);
    out[5] = static_cast<char>(payload.size() + 8);
    return out + payload;
}

std::string pattern(std::size_t size) {
    std::string out;
    for (std::size_t i = 0; i < size; ++i) out += static_cast<char>('a' + (i / 8 + i) % 26);
    return out;
}

Packet part_of(const std::string& whole, std::size_t begin, std::size_t end, bool v4 = true, std::uint32_t number = 7) {
    Packet packet;
    packet.source = v4 ? IpAddress::v4(0x0A000001) : *IpAddress::parse("2001:db8::1");
    packet.destination = v4 ? IpAddress::v4(0x0A000002) : *IpAddress::parse("2001:db8::2");
    packet.identification = number;
    packet.fragment = true;
    packet.later_fragment = begin > 0;
    packet.protocol = protocol::udp;
    packet.part = {.offset = static_cast<std::uint32_t>(begin),
                   .length = static_cast<std::uint32_t>(end - begin),
                   .protocol = protocol::udp,
                   .more = end < whole.size(),
                   .bytes = as_bytes(whole).subspan(begin, end - begin)};
    return packet;
}

TEST(Fragments, AreOneDatagramInWhateverOrderTheyCome) {
    const std::string payload = pattern(3000), whole = udp(payload);
    for (const bool v4 : {true, false}) {
        std::vector<std::size_t> order{0, 1, 2};
        do {
            Fragments fragments;
            const std::size_t cuts[] = {0, 1480, 2960, whole.size()};
            for (std::size_t turn = 0; turn < order.size(); ++turn) {
                const std::size_t which = order[turn];
                const auto given = fragments.add(part_of(whole, cuts[which], cuts[which + 1], v4),
                                                 static_cast<std::int64_t>(turn), turn + 1);
                ASSERT_EQ(given.has_value(), turn == 2);
                if (!given) continue;
                EXPECT_EQ(given->number, 3U);
                EXPECT_TRUE(given->packet.transport && !given->packet.fragment && !given->packet.later_fragment);
                EXPECT_EQ(given->packet.destination_port, 53);
                EXPECT_EQ(as_text(given->packet.payload), payload);
                EXPECT_EQ(given->packet.payload_length, payload.size());
            }
            EXPECT_EQ(fragments.completed(), 1U);
            EXPECT_FALSE(fragments.give_up(INT64_MAX));
        } while (std::ranges::next_permutation(order).found);
    }
}

TEST(Fragments, ThatRepeatAreTakenOnceAndThatContradictRefuseTheDatagram) {
    const std::string whole = udp(pattern(72)), other = udp(std::string(72, '!'));
    struct Case {
        const char* name;
        std::vector<Packet> parts;
        std::uint64_t completed, overlapping;
    };
    const Case cases[] = {
        {"the same twice", {part_of(whole, 0, 40), part_of(whole, 0, 40), part_of(whole, 40, 80)}, 1, 0},
        {"other bytes at the same place", {part_of(whole, 0, 40), part_of(other, 0, 40), part_of(whole, 40, 80)}, 0, 1},
        {"a part of another", {part_of(whole, 0, 40), part_of(whole, 8, 24), part_of(whole, 40, 80)}, 0, 1},
        {"one over the end of another", {part_of(whole, 0, 40), part_of(whole, 32, 80)}, 0, 1},
        {"one behind the last", {part_of(whole, 48, 80), part_of(udp(pattern(200)), 80, 160)}, 0, 1},
        {"two that are the last", {part_of(whole, 48, 80), part_of(whole.substr(0, 48), 40, 48)}, 0, 1},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        Fragments fragments;
        for (const Packet& part : c.parts) fragments.add(part, 0, 1);
        EXPECT_EQ(fragments.completed(), c.completed);
        EXPECT_EQ(fragments.overlapping(), c.overlapping);
        EXPECT_EQ(fragments.incomplete(), 0U);
    }
}

TEST(Fragments, OfDifferentDatagramsDoNotMix) {
    const std::string one = udp(pattern(72)), two = udp(std::string(72, '2'));
    Fragments fragments;
    EXPECT_FALSE(fragments.add(part_of(one, 0, 40, true, 1), 0, 1));
    EXPECT_FALSE(fragments.add(part_of(two, 40, 80, true, 2), 0, 2));
    EXPECT_FALSE(fragments.add(part_of(two, 40, 80, false, 1), 0, 3));
    const auto given = fragments.add(part_of(two, 0, 40, true, 2), 0, 4);
    ASSERT_TRUE(given);
    EXPECT_EQ(as_text(given->packet.payload), std::string(72, '2'));
}

TEST(Fragments, ThatStayAloneAreGivenUpWithTheirFirstPart) {
    const std::string whole = udp(pattern(72));
    Fragments fragments;
    fragments.add(part_of(whole, 0, 40), second, 5);
    EXPECT_FALSE(fragments.give_up(second + fragment_patience));
    const auto given = fragments.give_up(second + fragment_patience + 1);
    ASSERT_TRUE(given);
    EXPECT_EQ(given->number, 5U);
    EXPECT_EQ(given->time, second);
    EXPECT_EQ(given->packet.destination_port, 53);
    EXPECT_EQ(given->packet.payload.size(), 32U);
    fragments.add(part_of(whole, 40, 80), 0, 6);
    EXPECT_FALSE(fragments.give_up(INT64_MAX));  // without the first there is nothing to read
    EXPECT_EQ(fragments.incomplete(), 2U);
}

TEST(Fragments, ThatAreManyPushOutTheOldest) {
    const std::string whole = udp(pattern(72));
    Fragments fragments;
    std::size_t given_up = 0;
    for (std::uint32_t number = 0; number < 10'000; ++number) {
        fragments.add(part_of(whole, 0, 40, true, number), 0, number);
        while (fragments.give_up(0)) ++given_up;
    }
    EXPECT_EQ(given_up, 10'000 - max_waiting);
    for (std::uint32_t at = 0; at < 8 * 100; at += 8) fragments.add(part_of(udp(pattern(2000)), at, at + 8), 0, 1);
    EXPECT_GE(fragments.incomplete(), given_up + 1);  // too many pieces
}

}  // namespace
}  // namespace sallyport::packet
