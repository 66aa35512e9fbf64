#include "listeners/client_counts.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

using namespace sallyport;
using namespace sallyport::listeners;

namespace {

IpAddress ip(std::string_view text) { return *IpAddress::parse(text); }

}  // namespace

TEST(ClientCounts, AClientIsAnIpv4AddressOrAnIpv6NetworkOf64Bits) {
    struct Case {
        const char* first;
        const char* second;
        bool same;
    };
    const Case cases[] = {
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"192.0.2.1", "::ffff:192.0.2.1", true},
        {"0.0.0.0", "::", false},
        {"192.0.2.1", "::1", false},
        {"2001:db8::1", "2001:db8::2", true},
        {"2001:db8::", "2001:db8::ffff:ffff:ffff:ffff", true},
        {"2001:db8::1", "2001:db8:0:1::1", false},
        {"2001:db8:0:1::", "2001:db8:0:0:ffff:ffff:ffff:ffff", false},
    };
    for (const Case& c : cases) {
        ClientCounts counts;
        EXPECT_TRUE(counts.enter(ip(c.first), 1));
        EXPECT_EQ(counts.enter(ip(c.second), 1), !c.same) << c.first << " and " << c.second;
        counts.leave(ip(c.first));
        EXPECT_TRUE(counts.enter(ip(c.first), 1)) << c.first;
    }
}

TEST(ClientCounts, HoldsEachClientToItsLimit) {
    ClientCounts counts;
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(counts.enter(ip("192.0.2.1"), 3));
    EXPECT_FALSE(counts.enter(ip("192.0.2.1"), 3));
    EXPECT_FALSE(counts.enter(ip("192.0.2.1"), 2)) << "a reload that lowers the limit";
    EXPECT_EQ(counts.total(), 3U) << "a refusal counts nothing";
    EXPECT_TRUE(counts.enter(ip("192.0.2.2"), 3));
    EXPECT_EQ(counts.total(), 4U);
    counts.leave(ip("192.0.2.1"));
    EXPECT_TRUE(counts.enter(ip("192.0.2.1"), 3));
    EXPECT_FALSE(counts.enter(ip("192.0.2.1"), 3));
    for (int i = 0; i < 3; ++i) counts.leave(ip("192.0.2.1"));
    counts.leave(ip("192.0.2.2"));
    EXPECT_EQ(counts.total(), 0U);
}

TEST(ClientCounts, WithALimitOfNoneNobodyEnters) {
    ClientCounts counts;
    EXPECT_FALSE(counts.enter(ip("192.0.2.1"), 0));
    EXPECT_EQ(counts.total(), 0U);
    EXPECT_TRUE(counts.enter(ip("192.0.2.1"), 1)) << "the refusal left nothing behind";
}

TEST(ClientCounts, AreRightWhateverThreadsDo) {
    constexpr std::uint32_t most = 3;
    ClientCounts counts;
    std::array<std::atomic<std::uint32_t>, 200> holding{};
    std::atomic<bool> exceeded{false};
    std::vector<std::thread> threads;
    for (std::uint32_t thread = 0; thread < 4; ++thread) {
        threads.emplace_back([&] {
            for (std::uint32_t round = 0; round < 20'000; ++round) {
                const std::uint32_t client = (round / 4) % 200;  // all meet at the same ones
                const IpAddress address = IpAddress::v4(client);
                if (!counts.enter(address, most)) continue;
                if (holding[client].fetch_add(1) >= most) exceeded = true;
                if (counts.total() > 4) exceeded = true;
                holding[client].fetch_sub(1);
                counts.leave(address);
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_FALSE(exceeded);
    EXPECT_EQ(counts.total(), 0U);
    for (std::uint32_t client = 0; client < 200; ++client) {
        for (std::uint32_t i = 0; i < most; ++i) EXPECT_TRUE(counts.enter(IpAddress::v4(client), most));
        EXPECT_FALSE(counts.enter(IpAddress::v4(client), most));
    }
}
