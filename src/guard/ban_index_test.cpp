#include "guard/ban_index.hpp"

#include <gtest/gtest.h>

#include <random>
#include <thread>
#include <unordered_set>

using namespace sallyport;
using namespace sallyport::guard;

namespace {

ClientKey v4(std::uint32_t address) { return ClientKey(IpAddress::v4(address)); }
ClientKey parsed(const char* text) { return ClientKey(*IpAddress::parse(text)); }

TEST(ClientKey, IsAnIpv4AddressOrAnIpv6Network) {
    EXPECT_EQ(parsed("192.0.2.7"), parsed("::ffff:192.0.2.7"));
    EXPECT_NE(parsed("192.0.2.7"), parsed("192.0.2.8"));
    EXPECT_EQ(parsed("2001:db8::1"), parsed("2001:db8::ffff:1"));
    EXPECT_NE(parsed("2001:db8::1"), parsed("2001:db8:0:1::1"));
    EXPECT_TRUE(parsed("::1").is_nobody());
    EXPECT_EQ(parsed("192.0.2.7").network().to_string(), "192.0.2.7/32");
    EXPECT_EQ(parsed("2001:db8:1:2:3::4").network().to_string(), "2001:db8:1:2::/64");
}

TEST(BanIndex, HoldsWhatIsInsertedUntilItIsErased) {
    BanIndex index(1000, 42);
    EXPECT_FALSE(index.contains(v4(1)));
    EXPECT_TRUE(index.insert(v4(1)).is_nobody());
    EXPECT_TRUE(index.insert(v4(1)).is_nobody());  // twice is once
    EXPECT_TRUE(index.contains(v4(1)));
    EXPECT_FALSE(index.contains(v4(2)));
    index.erase(v4(1));
    EXPECT_FALSE(index.contains(v4(1)));
}

TEST(BanIndex, NobodyIsNeverIn) {
    BanIndex index(1000, 42);
    index.insert(ClientKey());
    EXPECT_FALSE(index.contains(ClientKey()));
}

TEST(BanIndex, HoldsItsWholeCapacityWithoutDisplacingAnyone) {
    constexpr std::uint32_t capacity = 200'000;
    BanIndex index(capacity, 7);
    for (std::uint32_t i = 0; i < capacity; ++i) ASSERT_TRUE(index.insert(v4(i)).is_nobody()) << i;
    for (std::uint32_t i = 0; i < capacity; ++i) ASSERT_TRUE(index.contains(v4(i))) << i;
    for (std::uint32_t i = 0; i < capacity; ++i) ASSERT_FALSE(index.contains(v4(capacity + i))) << i;
}

TEST(BanIndex, SaysWhoHadToMakeRoom) {
    BanIndex index(8, 7);  // two buckets, which overflow
    std::unordered_set<std::uint64_t> in;
    for (std::uint32_t i = 1; i <= 100; ++i) {
        in.erase(index.insert(v4(i)).bits());
        in.insert(v4(i).bits());
    }
    for (std::uint32_t i = 1; i <= 100; ++i) EXPECT_EQ(index.contains(v4(i)), in.contains(v4(i).bits())) << i;
}

TEST(BanIndex, AReaderNeverMissesAClientThatStays) {
    BanIndex index(1000, 9);
    index.insert(v4(1));
    std::atomic<bool> done{false};
    std::jthread writing([&] {
        for (std::uint32_t round = 0; round < 50; ++round) {
            for (std::uint32_t i = 2; i < 1000; ++i) index.insert(v4(i));
            for (std::uint32_t i = 2; i < 1000; ++i) index.erase(v4(i));
        }
        done = true;
    });
    while (!done) ASSERT_TRUE(index.contains(v4(1)));
}

}  // namespace
