#include "egress/person.hpp"

#include "egress/pins.hpp"

#include <gtest/gtest.h>

using namespace sallyport;
using namespace sallyport::egress;

namespace {

IpAddress ip(std::string_view text) { return *IpAddress::parse(text); }

}  // namespace

TEST(Person, IsToldByWhatLasts) {
    Person person{.address = ip("10.1.2.3")};
    EXPECT_EQ(person.identity(), "address 10.1.2.3");
    person.mac = "02:00:5e:10:00:01";
    EXPECT_EQ(person.identity(), "mac 02:00:5e:10:00:01");
    person.user = "alice";
    EXPECT_EQ(person.identity(), "user alice");
}

TEST(Pin, ReadsItsSubjectBack) {
    const struct {
        PinKind kind;
        const char* who;
        const char* subject;
    } cases[] = {
        {PinKind::user, "alice b", "user alice b"},
        {PinKind::mac, "02-00-5E-10-00-01", "mac 02:00:5e:10:00:01"},
        {PinKind::client, "10.1.2.3", "client 10.1.2.3"},
        {PinKind::network, "10.1.2.3/16", "network 10.1.0.0/16"},
    };
    for (const auto& [kind, who, subject] : cases) {
        const auto pin = Pin::make(kind, who, ip("192.0.2.17"));
        ASSERT_TRUE(pin) << who;
        EXPECT_EQ(pin->subject(), subject);
        EXPECT_EQ(Pin::of_subject(subject, pin->source), pin);
    }
    for (const char* none : {"", "user", "user ", "mac alice", "client 10.1.2", "network x/8", "who x", "user a\nb"})
        EXPECT_FALSE(Pin::of_subject(none, ip("192.0.2.17"))) << none;
}

TEST(Pins, HoldByUserThenMacThenClientThenNarrowestNetwork) {
    const std::vector<Pin> all{*Pin::make(PinKind::network, "10.0.0.0/8", ip("192.0.2.1")),
                               *Pin::make(PinKind::network, "10.1.0.0/16", ip("192.0.2.2")),
                               *Pin::make(PinKind::client, "10.1.2.3", ip("192.0.2.3")),
                               *Pin::make(PinKind::mac, "020000000001", ip("192.0.2.4")),
                               *Pin::make(PinKind::user, "alice", ip("192.0.2.5")),
                               *Pin::make(PinKind::user, "alice", ip("2001:db8::5"))};
    const Pins pins(all);
    const auto of = [&](Person person, Family family = Family::v4) {
        const auto source = pins.find(person, family);
        return source ? source->to_string() : "none";
    };
    const std::string mac = "02:00:00:00:00:01";
    EXPECT_EQ(of({.address = ip("11.1.2.3")}), "none");
    EXPECT_EQ(of({.address = ip("10.9.9.9")}), "192.0.2.1");
    EXPECT_EQ(of({.address = ip("10.1.9.9")}), "192.0.2.2");
    EXPECT_EQ(of({.address = ip("10.1.2.3")}), "192.0.2.3");
    EXPECT_EQ(of({.address = ip("10.1.2.3"), .mac = mac}), "192.0.2.4");
    EXPECT_EQ(of({.address = ip("10.1.2.3"), .user = "alice", .mac = mac}), "192.0.2.5");
    EXPECT_EQ(of({.address = ip("10.1.2.3"), .user = "alice"}, Family::v6), "2001:db8::5");
    EXPECT_EQ(of({.address = ip("10.1.2.3"), .user = "bob"}, Family::v6), "none");
    EXPECT_TRUE(pins.holds(ip("2001:db8::5")));
    EXPECT_FALSE(pins.holds(ip("192.0.2.9")));
}
