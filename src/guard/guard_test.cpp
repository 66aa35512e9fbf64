#include "guard/guard.hpp"

#include "io/testing.hpp"

#include <gtest/gtest.h>

using namespace sallyport;
using namespace sallyport::guard;
using namespace std::chrono_literals;

namespace {

Network net(const char* text) { return *Network::parse(text); }
IpAddress ip(const char* text) { return *IpAddress::parse(text); }

// A guard with one lookout, on a loop whose hours pass at once.
struct Watched {
    io::testing::VirtualLoop loop;
    Lookout lookout;
    std::vector<std::string> told;
    Guard guard{*loop,
                {.node = "here",
                 .publish = [this](std::shared_ptr<const Bans> bans) { lookout.adopt(std::move(bans)); },
                 .changed =
                     [this](const Change& change) {
                         told.push_back((change.what == Change::What::added ? "+" : "-") + change.entry.address());
                     },
                 .limits = {.bans = 100}}};

    Watched() {
        guard.watch(lookout);
        guard.apply({.suspicious_per_minute = 2, .ban_for = 1min, .never_ban = {net("10.0.0.0/8")}});
    }
    void see(const char* who, int times) {
        for (int i = 0; i < times; ++i) lookout.suspect({.client = ip(who), .time = loop->now()});
        guard.collect();
    }
    void pass(Duration time) {
        loop.run([](Watched& self, Duration how_long) -> io::Task<void> {
            io::Cancellation cancellation;
            io::Scope scope(*self.loop);
            scope.spawn(self.guard.keep_time(cancellation));
            co_await io::Sleep(*self.loop, scope.cancellation(), self.loop->in(how_long));
            cancellation.request();
            co_await scope.join();
        }(*this, time));
    }
};

TEST(Guard, BansWhoIsToldOfTooOftenAndForgivesInTime) {
    Watched watched;
    watched.see("192.0.2.7", 2);
    EXPECT_FALSE(watched.lookout.banned(ip("192.0.2.7")));
    watched.see("192.0.2.7", 1);
    EXPECT_TRUE(watched.lookout.banned(ip("192.0.2.7")));
    watched.pass(58s);
    EXPECT_TRUE(watched.lookout.banned(ip("192.0.2.7")));
    watched.pass(3s);
    EXPECT_FALSE(watched.lookout.banned(ip("192.0.2.7")));
    EXPECT_EQ(watched.told, (std::vector<std::string>{"+192.0.2.7", "-192.0.2.7"}));
    EXPECT_EQ(watched.guard.added(), 1U);
    EXPECT_EQ(watched.guard.signs(), 3U);
}

TEST(Guard, WhatAnAdministratorSaysHoldsAtOnce) {
    Watched watched;
    ASSERT_TRUE(watched.guard.ban(net("192.0.2.7"), Duration::max(), "by hand"));
    ASSERT_TRUE(watched.guard.ban(net("198.51.100.0/24"), 1min, "by hand"));
    EXPECT_TRUE(watched.lookout.banned(ip("192.0.2.7")));
    EXPECT_TRUE(watched.lookout.banned(ip("198.51.100.9")));
    const auto allowed = watched.guard.allow(net("192.0.2.7"), Duration::max(), "ours");
    ASSERT_TRUE(allowed);
    EXPECT_EQ(allowed->verdict, Verdict::allow);
    EXPECT_EQ(allowed->expires, Entry::never);
    EXPECT_FALSE(watched.lookout.banned(ip("192.0.2.7")));
    EXPECT_TRUE(watched.guard.remove(net("198.51.100.0/24")));
    EXPECT_FALSE(watched.lookout.banned(ip("198.51.100.9")));
    EXPECT_FALSE(watched.guard.ban(net("10.0.0.1"), 1min, ""));
}

TEST(Guard, AChangedPolicyHoldsAtOnce) {
    Watched watched;
    watched.guard.apply({.never_ban = {net("192.0.2.0/24")}, .always_ban = {net("203.0.113.0/24")}});
    EXPECT_TRUE(watched.lookout.banned(ip("203.0.113.1")));
    watched.see("192.0.2.7", 50);
    EXPECT_FALSE(watched.lookout.banned(ip("192.0.2.7")));
}

}  // namespace
