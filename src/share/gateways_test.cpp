#include "share/gateways.hpp"

#include <gmock/gmock.h>

#include <chrono>

using namespace sallyport;
using namespace sallyport::share;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

namespace {

constexpr WallTime now{std::chrono::seconds(1'800'000'000)};

IpAddress ip(const char* text) { return *IpAddress::parse(text); }
std::optional<Announcement> read(std::string_view line) { return parse_announcement("edge-2", line); }

}  // namespace

TEST(Announcement, IsReadAsItWasWritten) {
    const Announcement one{.node = "edge-2", .until = now, .addresses = {ip("203.0.113.1"), ip("2001:db8::1")}};
    EXPECT_EQ(announcement_line(one), "1800000000000 203.0.113.1 2001:db8::1");
    EXPECT_EQ(read(announcement_line(one)), one);
}

TEST(Announcement, HasOnlyWhatIsAGatewaysForOthers) {
    Announcement one{.node = "edge-2", .until = now, .addresses = {}};
    for (const char* not_ours : {"127.0.0.1", "127.9.9.9", "0.0.0.0", "169.254.1.1", "224.0.0.1", "255.255.255.255",
                                 "::", "::1", "fe80::1", "ff02::1"}) {
        one.addresses = {ip(not_ours)};
        EXPECT_EQ(announcement_line(one), "1800000000000") << not_ours;
        EXPECT_FALSE(read("1800000000000 " + std::string(not_ours))) << not_ours;
    }
    one.addresses.assign(100, ip("10.0.0.1"));
    EXPECT_EQ(read(announcement_line(one))->addresses.size(), Gateways::most_addresses);
}

TEST(Announcement, IsNoneOfAnythingElse) {
    const std::string many = "1800000000000" + [] {
        std::string out;
        for (std::size_t i = 0; i <= Gateways::most_addresses; ++i) out += " 10.0.0.1";
        return out;
    }();
    for (const std::string& line :
         {std::string(), std::string("x"), std::string("-1 10.0.0.1"), std::string("1800000000000 10.0.0.0/8"),
          std::string("1800000000000 10.0.0.1  10.0.0.2"), std::string("1800000000000 ::/0"),
          std::string("1800000000000 10.0.0.1:80"), std::string("99999999999999999999 10.0.0.1"),
          std::string("9999999999999999 10.0.0.1"), std::string("1800000000000,10.0.0.1"), many,
          std::string(5000, '1')})
        EXPECT_FALSE(read(line)) << line.substr(0, 60);
    for (const std::string& node : {std::string(), std::string("a\nb"), std::string(256, 'x')})
        EXPECT_FALSE(parse_announcement(node, "1800000000000 10.0.0.1"));
}

TEST(Gateways, AreThoseWhoseAnnouncementHolds) {
    Gateways gateways;
    EXPECT_TRUE(gateways.hear({.node = "a", .until = now + 1h, .addresses = {ip("203.0.113.1")}}, now));
    EXPECT_FALSE(gateways.hear({.node = "a", .until = now + 2h, .addresses = {ip("203.0.113.1")}}, now));
    EXPECT_TRUE(gateways.hear({.node = "b", .until = now + 1h, .addresses = {ip("203.0.113.2")}}, now));
    EXPECT_THAT(gateways.addresses(), ElementsAre(ip("203.0.113.1"), ip("203.0.113.2")));
    EXPECT_TRUE(gateways.hear({.node = "b", .until = now + 1h, .addresses = {ip("203.0.113.3")}}, now));
    EXPECT_FALSE(gateways.expire(now + 30min));
    EXPECT_TRUE(gateways.expire(now + 1h));
    EXPECT_THAT(gateways.addresses(), ElementsAre(ip("203.0.113.1")));
    EXPECT_TRUE(gateways.hear({.node = "a", .until = now, .addresses = {}}, now));
    EXPECT_THAT(gateways.addresses(), IsEmpty());
}

TEST(Gateways, AreBelievedForADayAtMost) {
    Gateways gateways;
    gateways.hear({.node = "a", .until = now + std::chrono::days(3650), .addresses = {ip("203.0.113.1")}}, now);
    EXPECT_FALSE(gateways.expire(now + 23h));
    EXPECT_TRUE(gateways.expire(now + 24h));
}

TEST(Gateways, AreNoMoreThanTheirMost) {
    Gateways gateways;
    for (std::size_t i = 0; i < 1000; ++i)
        gateways.hear({.node = std::to_string(i), .until = now + 1h, .addresses = {ip("203.0.113.1")}}, now);
    EXPECT_EQ(gateways.addresses().size(), Gateways::most);
    EXPECT_FALSE(gateways.hear({.node = "999", .until = now + 1h, .addresses = {ip("203.0.113.9")}}, now));
    EXPECT_TRUE(gateways.hear({.node = "0", .until = now + 1h, .addresses = {ip("203.0.113.9")}}, now));
}
