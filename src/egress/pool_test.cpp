#include "egress/pool.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include <map>
#include <string>
#include <vector>

using namespace sallyport;
using namespace sallyport::egress;

namespace {

std::vector<Network> networks(std::initializer_list<const char*> texts) {
    std::vector<Network> out;
    for (const char* text : texts) out.push_back(*Network::parse(text));
    return out;
}

constexpr auto nobodys = [](const IpAddress&) { return false; };

std::string who(int i) { return "user " + std::to_string(i); }

}  // namespace

TEST(Pool, HoldsEveryAddressOfItsNetworksOnce) {
    const Pool pool(networks({"192.0.2.16/28", "192.0.2.16/30", "2001:db8::fffe/127", "198.51.100.255/32"}), "s");
    EXPECT_EQ(pool.size(Family::v4), 17U);
    EXPECT_EQ(pool.size(Family::v6), 2U);
    EXPECT_TRUE(pool.contains(*IpAddress::parse("192.0.2.31")));
    EXPECT_TRUE(pool.contains(*IpAddress::parse("2001:db8::ffff")));
    EXPECT_FALSE(pool.contains(*IpAddress::parse("192.0.2.32")));
    EXPECT_EQ(Pool::size_of(networks({"192.0.2.0/24", "192.0.2.7"})), 257U);
}

TEST(Pool, CarriesOverTheOctetsOfAnAddress) {
    const Pool pool(networks({"10.0.0.0/23"}), "s");
    EXPECT_TRUE(pool.contains(*IpAddress::parse("10.0.1.0")));
    EXPECT_TRUE(pool.contains(*IpAddress::parse("10.0.1.255")));
    EXPECT_EQ(pool.size(Family::v4), 512U);
}

TEST(Pool, IsBounded) {
    const auto huge = networks({"2001:db8::/64", "10.0.0.0/8"});
    EXPECT_EQ(Pool::size_of(huge), Pool::most_members + 1);
    const Pool pool(huge, "s");
    EXPECT_EQ(pool.size(Family::v6) + pool.size(Family::v4), Pool::most_members);
}

TEST(Pool, GivesTheSameOnEveryGatewayOfOneSeedAndAnotherUnderAnother) {
    const Pool one(networks({"192.0.2.16/28"}), "site-1");
    const Pool same(networks({"192.0.2.24/29", "192.0.2.16/29"}), "site-1");
    const Pool other(networks({"192.0.2.16/28"}), "site-2");
    int moved = 0;
    for (int i = 0; i < 1000; ++i) {
        const auto chosen = one.choose(who(i), Family::v4, nobodys);
        EXPECT_EQ(chosen, same.choose(who(i), Family::v4, nobodys));
        moved += chosen != other.choose(who(i), Family::v4, nobodys) ? 1 : 0;
    }
    EXPECT_GT(moved, 850);
}

TEST(Pool, SpreadsEvenly) {
    const Pool pool(networks({"192.0.2.16/28"}), "s");
    std::map<IpAddress, int> counts;
    for (int i = 0; i < 16'000; ++i) ++counts[*pool.choose(who(i), Family::v4, nobodys)];
    EXPECT_EQ(counts.size(), 16U);
    for (const auto& [address, count] : counts) {
        EXPECT_GT(count, 850) << address.to_string();
        EXPECT_LT(count, 1150) << address.to_string();
    }
}

TEST(Pool, MovesOnlyThoseWhoseMemberIsGone) {
    const Pool whole(networks({"192.0.2.16/28"}), "s");
    const Pool less(networks({"192.0.2.16/29", "192.0.2.24/30", "192.0.2.28/31", "192.0.2.30/32"}), "s");
    const IpAddress gone = *IpAddress::parse("192.0.2.31");
    int moved = 0;
    for (int i = 0; i < 10'000; ++i) {
        const auto before = whole.choose(who(i), Family::v4, nobodys);
        const auto after = less.choose(who(i), Family::v4, nobodys);
        EXPECT_NE(after, gone);
        if (before == gone)
            ++moved;
        else
            EXPECT_EQ(before, after) << who(i);
    }
    EXPECT_NEAR(moved, 10'000 / 16, 100);
}

TEST(Pool, PassesOverWhatIsTakenAndEndsWithNothing) {
    const Pool pool(networks({"192.0.2.16/30"}), "s");
    std::vector<IpAddress> given;
    const auto taken = [&](const IpAddress& one) { return std::ranges::find(given, one) != given.end(); };
    while (const auto next = pool.choose("user x", Family::v4, taken)) given.push_back(*next);
    EXPECT_EQ(given.size(), 4U);
    EXPECT_FALSE(pool.choose("user x", Family::v6, nobodys));
}
