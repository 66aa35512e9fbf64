#include "guard/table.hpp"

#include <gtest/gtest.h>

using namespace sallyport;
using namespace sallyport::guard;
using namespace std::chrono_literals;

namespace {

Network net(const char* text) { return *Network::parse(text); }
IpAddress ip(const char* text) { return *IpAddress::parse(text); }
SteadyTime when(Duration since_start) { return SteadyTime{} + since_start; }

struct Tried : Table {
    explicit Tried(Policy policy = {.suspicious_per_minute = 2, .ban_for = 10min}, Limits limits = {})
        : Table("here", limits) {
        apply(std::move(policy));
    }
    void see(const char* who, Duration since_start, int times = 1, Sign sign = Sign::refused) {
        for (int i = 0; i < times; ++i)
            suspect({.client = ip(who), .protocol = telemetry::Protocol::sip, .sign = sign, .time = when(since_start)});
    }
    bool bans(const char* who) const {
        const Entry* entry = find(ip(who));
        return entry != nullptr && entry->verdict == Verdict::ban;
    }
    std::string story() {
        std::string out;
        constexpr std::array words{"+", "-", "~", "!"};
        for (const Change& change : take_changes())
            out += (out.empty() ? "" : " ") + std::string(words[static_cast<std::size_t>(change.what)]) +
                   std::string(name(change.entry.verdict)) + ":" + change.entry.who.to_string();
        return out;
    }
};

TEST(Table, BansPastTheThresholdAndForgivesAfterTheTime) {
    Tried table;
    table.see("192.0.2.7", 30s);
    table.see("192.0.2.7", 59s);
    EXPECT_FALSE(table.bans("192.0.2.7"));
    table.see("192.0.2.7", 61s);  // the clock's minute turned, the window did not
    EXPECT_TRUE(table.bans("192.0.2.7"));
    EXPECT_FALSE(table.bans("192.0.2.8"));
    EXPECT_EQ(table.next_expiry(), when(61s + 10min));
    EXPECT_EQ(table.find(ip("192.0.2.7"))->reason, "within a minute: refused 3 (sip)");
    table.expire(when(61s + 10min) - 1ns);
    EXPECT_TRUE(table.bans("192.0.2.7"));
    table.expire(when(61s + 10min));
    EXPECT_FALSE(table.bans("192.0.2.7"));
    EXPECT_EQ(table.story(), "+ban:192.0.2.7/32 ~ban:192.0.2.7/32");
}

TEST(Table, AWrongPasswordEveryHalfMinuteAllDayIsNeverBanned) {
    Tried table;
    for (int half = 0; half < 2880; ++half) {
        table.see("192.0.2.7", half * 30s, 1, Sign::wrong_credentials);
        ASSERT_FALSE(table.bans("192.0.2.7"));
    }
}

TEST(Table, AfterABanCountingBeginsAnew) {
    Tried table({.suspicious_per_minute = 2, .ban_for = 1s});
    table.see("192.0.2.7", 0s, 3);
    table.expire(when(1s));
    table.see("192.0.2.7", 2s, 2);
    EXPECT_FALSE(table.bans("192.0.2.7"));
    table.see("192.0.2.7", 3s);
    EXPECT_TRUE(table.bans("192.0.2.7"));
}

TEST(Table, SignsDuringABanDoNotProlongIt) {
    Tried table;
    table.see("192.0.2.7", 0s, 3);
    table.see("192.0.2.7", 5min, 30);
    EXPECT_EQ(table.next_expiry(), when(10min));
}

TEST(Table, AnIpv6ClientIsItsSlash64) {
    Tried table;
    table.see("2001:db8::1", 0s);
    table.see("2001:db8::2", 0s);
    table.see("2001:db8::3", 0s);
    EXPECT_TRUE(table.bans("2001:db8::ffff:ffff"));
    EXPECT_FALSE(table.bans("2001:db8:0:1::1"));
}

TEST(Table, WhoIsNeverBanned) {
    Tried table(
        {.suspicious_per_minute = 2, .ban_for = 10min, .never_ban = {net("10.0.0.0/8"), net("2001:db8::5/128")}});
    for (const char* who : {"127.0.0.1", "::1", "10.1.2.3", "2001:db8::5", "0.0.0.0"}) {
        table.see(who, 0s, 50);
        EXPECT_FALSE(table.bans(who)) << who;
    }
    EXPECT_EQ(table.window().clients(), 0U);
}

TEST(Table, ABanByHandOfAnExemptAddressSaysWhatForbidsIt) {
    Tried table({.never_ban = {net("10.0.0.0/8")}});
    const auto never = table.ban(net("10.1.2.3"), Entry::never, "", when(0s));
    ASSERT_FALSE(never);
    EXPECT_NE(never.error().message.find("10.0.0.0/8 is in never_ban"), std::string::npos);
    ASSERT_TRUE(table.allow(net("192.0.2.0/24"), Entry::never, "office", when(0s)));
    const auto allowed = table.ban(net("192.0.2.7"), Entry::never, "", when(0s));
    ASSERT_FALSE(allowed);
    EXPECT_EQ(allowed.error().message, "192.0.2.7/32 is allowed by the entry 192.0.2.0/24; remove that first");
}

TEST(Table, AllowLiftsTheBanInOneStepAndKeepsFromTheNext) {
    Tried table;
    table.see("192.0.2.7", 0s, 3);
    ASSERT_TRUE(table.allow(net("192.0.2.7"), Entry::never, "our scanner", when(1s)));
    table.see("192.0.2.7", 2s, 30);
    EXPECT_FALSE(table.bans("192.0.2.7"));
    EXPECT_EQ(table.story(), "+ban:192.0.2.7/32 -ban:192.0.2.7/32 +allow:192.0.2.7/32");
    EXPECT_TRUE(table.remove(net("192.0.2.7")));
    EXPECT_FALSE(table.remove(net("192.0.2.7")));
    table.see("192.0.2.7", 3s, 3);
    EXPECT_TRUE(table.bans("192.0.2.7"));
}

TEST(Table, AllowOfANetworkLiftsAllWithin) {
    Tried table;
    table.see("192.0.2.7", 0s, 3);
    table.see("192.0.3.7", 0s, 3);
    ASSERT_TRUE(table.ban(net("192.0.2.128/25"), Entry::never, "", when(0s)));
    ASSERT_TRUE(table.allow(net("192.0.2.0/24"), Entry::never, "", when(1s)));
    EXPECT_FALSE(table.bans("192.0.2.7"));
    EXPECT_FALSE(table.bans("192.0.2.200"));
    EXPECT_TRUE(table.bans("192.0.3.7"));
}

TEST(Table, ANewPolicyLiftsTheBansThatItForbids) {
    Tried table;
    table.see("192.0.2.7", 0s, 3);
    table.apply({.never_ban = {net("192.0.2.0/24")}});
    EXPECT_FALSE(table.bans("192.0.2.7"));
}

TEST(Table, ABanByHandTakesAnotherTermWithoutBeingLiftedBetween) {
    Tried table;
    ASSERT_TRUE(table.ban(net("192.0.2.7"), when(1h), "a", when(0s)));
    ASSERT_TRUE(table.ban(net("192.0.2.7"), when(2h), "b", when(1s)));
    EXPECT_EQ(table.story(), "+ban:192.0.2.7/32 +ban:192.0.2.7/32");
    EXPECT_EQ(table.next_expiry(), when(2h));
    EXPECT_EQ(table.Table::bans(), 1U);
}

TEST(Table, ListsAreWhatReadersNeed) {
    Tried table({.never_ban = {net("10.0.0.0/8")}, .always_ban = {net("203.0.113.0/24")}});
    ASSERT_TRUE(table.ban(net("198.51.0.0/16"), when(1h), "", when(0s)));
    ASSERT_TRUE(table.allow(net("198.51.100.7"), Entry::never, "", when(0s)));
    EXPECT_TRUE(table.lists().banned.contains(ip("203.0.113.9")));
    EXPECT_TRUE(table.lists().banned.contains(ip("198.51.100.7")));
    EXPECT_TRUE(table.lists().allowed.contains(ip("198.51.100.7")));
    EXPECT_TRUE(table.lists().allowed.contains(ip("10.0.0.1")));
    EXPECT_TRUE(table.lists().allowed.contains(ip("127.0.0.1")));
    table.expire(when(1h));
    EXPECT_FALSE(table.lists().banned.contains(ip("198.51.100.7")));
}

TEST(Table, AFloodOfBansDisplacesThoseThatEndFirstAndNoAllowEntry) {
    Tried table({.suspicious_per_minute = 0, .ban_for = 10min}, {.bans = 3, .lists = 2, .signs = 10});
    ASSERT_TRUE(table.allow(net("192.0.2.9"), Entry::never, "", when(0s)));
    ASSERT_TRUE(table.ban(net("192.0.2.1"), Entry::never, "", when(0s)));
    table.see("192.0.2.2", 1s);
    table.see("192.0.2.3", 2s);
    table.see("192.0.2.4", 3s);
    EXPECT_FALSE(table.bans("192.0.2.2"));
    for (const char* who : {"192.0.2.1", "192.0.2.3", "192.0.2.4"}) EXPECT_TRUE(table.bans(who)) << who;
    EXPECT_EQ(table.Table::bans(), 3U);
    EXPECT_EQ(table.allows(), 1U);
    ASSERT_TRUE(table.allow(net("192.0.2.8"), Entry::never, "", when(4s)));
    EXPECT_FALSE(table.allow(net("192.0.2.10"), Entry::never, "", when(4s)));
}

struct Learned {
    const char* name;
    Entry present;  // expires at once: there is none
    Entry told;
    bool changes;
};

TEST(Table, OfTwoEntriesTheNewerStaysAndAllowBeatsBan) {
    const Network who = net("192.0.2.7");
    const Entry none{.who = who, .since = {}, .expires = when(0s)};
    const Entry ban{.who = who, .since = when(10s), .expires = when(1h)};
    const Entry allow{.who = who, .verdict = Verdict::allow, .since = when(10s), .expires = when(1h)};
    const auto made_at = [](Entry entry, Duration made) {
        entry.since = when(made);
        return entry;
    };
    const Learned cases[] = {
        {"new ban", none, ban, true},
        {"older ban", ban, made_at(ban, 9s), false},
        {"same ban", ban, ban, false},
        {"newer ban", ban, made_at(ban, 11s), true},
        {"older allow beats ban", ban, made_at(allow, 1s), true},
        {"newer ban does not beat allow", allow, made_at(ban, 20s), false},
        {"has expired", none, {.who = who, .since = when(0s), .expires = when(30s)}, false},
        {"this machine", none, {.who = net("127.0.0.1"), .since = {}, .expires = when(1h)}, false},
        {"what would pass for 1.2.3.4",
         none,
         {.who = net("ffff:ffff:102:304::/64"), .since = {}, .expires = when(1h)},
         false},
        {"everybody", none, {.who = net("::/64"), .since = {}, .expires = when(1h)}, false},
        {"never_ban", none, {.who = net("10.0.0.1"), .since = {}, .expires = when(1h)}, false},
    };
    for (const Learned& one : cases) {
        Tried table({.never_ban = {net("10.0.0.0/8")}});
        table.learn(one.present, when(1s));
        EXPECT_EQ(table.learn(one.told, when(30s)), one.changes) << one.name;
    }
}

}  // namespace
