#include "dns/numbers.hpp"

#include <gtest/gtest.h>

namespace sallyport::dns {
namespace {

using namespace std::chrono_literals;

TEST(DnsNumbers, AddUpOverAllLoops) {
    ForwarderFacts one{.numbers = {}, .cached = 3, .upstreams = {}}, other{.numbers = {}, .cached = 4, .upstreams = {}};
    one.numbers.of(Event::hit) = 5;
    other.numbers.of(Event::hit) = 6;
    one.upstreams.push_back({.name = "192.0.2.1:53", .numbers = {}, .failing = false, .round_trip = 5ms});
    other.upstreams.push_back({.name = "192.0.2.2:53", .numbers = {}, .failing = false, .round_trip = 1ms});
    other.upstreams.push_back({.name = "192.0.2.1:53", .numbers = {}, .failing = true, .round_trip = 2ms});
    one.upstreams[0].numbers.of(Passed::sent) = 7;
    other.upstreams[1].numbers.of(Passed::sent) = 8;
    one.add(other);
    EXPECT_EQ(one.cached, 7U);
    EXPECT_EQ(one.numbers.of(Event::hit), 11U);
    EXPECT_EQ(one.numbers.of(Event::miss), 0U);
    ASSERT_EQ(one.upstreams.size(), 2U);
    EXPECT_EQ(one.upstreams[0].numbers.of(Passed::sent), 15U);
    EXPECT_TRUE(one.upstreams[0].failing) << "to one loop is enough to be told of";
    EXPECT_EQ(one.upstreams[0].round_trip, 5ms);
    EXPECT_EQ(one.upstreams[1].name, "192.0.2.2:53");
}

}  // namespace
}  // namespace sallyport::dns
