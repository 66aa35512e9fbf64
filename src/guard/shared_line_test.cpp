#include "guard/shared_line.hpp"

#include "guard/guard.hpp"
#include "io/testing.hpp"

#include <gtest/gtest.h>

#include <chrono>

using namespace sallyport;
using namespace sallyport::guard;
using namespace std::chrono_literals;
using store::GuardRow;

namespace {

GuardRow row(const char* who, std::int64_t since_ms = 1000) {
    return {.who = who,
            .verdict = "ban",
            .origin = "auto",
            .since_ms = since_ms,
            .expires_ms = 4'000'000'000'000,
            .reason = "x y",
            .protocol = "sip",
            .count = 3,
            .node = "edge-2"};
}

TEST(SharedLine, IsReadAsItWasWritten) {
    GuardRow forever = row("192.0.2.7/32");
    forever.expires_ms.reset();
    for (const GuardRow& one : {row("2001:db8::/64"), forever}) EXPECT_EQ(parse_line(line_of(one).text), one);
}

TEST(SharedLine, CanNotBeBrokenByWhatIsInIt) {
    GuardRow one = row("192.0.2.7/32");
    one.reason = "a\tb\nc";
    one.node = "edge\t2";
    const auto again = parse_line(line_of(one).text);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->reason, "a b c");
    EXPECT_EQ(again->node, "edge 2");
}

TEST(SharedLine, IsNoneOfAnythingElse) {
    for (const std::string& line :
         {std::string(), std::string("a\tb"), std::string(3000, 'x'), std::string("w\tban\tauto\tx\t-\tsip\t1\tn\tr"),
          std::string("w\tban\tauto\t1\t1x\tsip\t1\tn\tr"), std::string("w\tban\tauto\t-5\t-\tsip\t1\tn\tr"),
          std::string("w\tban\tauto\t1\t9999999999999999\tsip\t1\tn\tr")})
        EXPECT_FALSE(parse_line(line)) << line.substr(0, 40);
}

// Two guards, without a Redis between them.
struct Hearing {
    io::testing::VirtualLoop loop;
    Guard guard{*loop, {.node = "here", .publish = [](const auto&) {}, .changed = {}, .limits = {.bans = 100}}};
    Hearing() { guard.apply({.never_ban = {*Network::parse("10.0.0.0/8")}}); }

    std::int64_t wall_ms() {
        return std::chrono::duration_cast<std::chrono::milliseconds>(loop->wall().time_since_epoch()).count();
    }
    GuardRow line(const char* who, const char* verdict = "ban", Duration made = {}, Duration lasts = 1h) {
        GuardRow out = row(who, wall_ms() + std::chrono::duration_cast<std::chrono::milliseconds>(made).count());
        out.verdict = verdict;
        out.expires_ms = out.since_ms + std::chrono::duration_cast<std::chrono::milliseconds>(lasts).count();
        return out;
    }
};

TEST(Guard, HearsBansAndTheirLifting) {
    Hearing hearing;
    hearing.guard.hear(hearing.line("192.0.2.7"));
    EXPECT_EQ(hearing.guard.table().bans(), 1U);
    hearing.guard.hear(hearing.line("192.0.2.7", "lifted", -1s));  // older than the ban
    EXPECT_EQ(hearing.guard.table().bans(), 1U);
    hearing.guard.hear(hearing.line("192.0.2.7", "lifted", 1s));
    EXPECT_EQ(hearing.guard.table().bans(), 0U);
    hearing.guard.hear(hearing.line("192.0.2.7", "allow", -1h, 24h));
    hearing.guard.hear(hearing.line("192.0.2.7"));
    EXPECT_EQ(hearing.guard.table().bans(), 0U);
    EXPECT_EQ(hearing.guard.table().allows(), 1U);
}

TEST(Guard, IsNotToldAgainOfABanThatWasLifted) {
    Hearing hearing;
    const GuardRow ban = hearing.line("192.0.2.7", "ban", -1min);
    GuardRow gone = hearing.line("192.0.2.7/32", "lifted");
    hearing.guard.hear(ban);
    hearing.guard.hear(gone);
    GuardRow again = ban;
    again.who = "192.0.2.7/32";
    hearing.guard.hear(again);  // by one who has not heard of it yet
    EXPECT_EQ(hearing.guard.table().bans(), 0U);
    ASSERT_EQ(hearing.guard.rows().size(), 1U);
    EXPECT_EQ(hearing.guard.rows().front(), gone);
    again.since_ms = gone.since_ms + 1;
    hearing.guard.hear(again);
    EXPECT_EQ(hearing.guard.table().bans(), 1U);
    hearing.guard.hear(gone);
    GuardRow allowed = gone;  // in the same moment
    allowed.verdict = "allow";
    hearing.guard.hear(allowed);
    EXPECT_EQ(hearing.guard.table().allows(), 1U);
}

TEST(Guard, HearsNothingThatAHostileRedisMaySay) {
    Hearing hearing;
    GuardRow garbage = hearing.line("192.0.2.7");
    garbage.verdict = "BAN";
    for (const GuardRow& line :
         {hearing.line("10.1.2.3"), hearing.line("127.0.0.1"), hearing.line("::/0"), hearing.line("0.0.0.0/0"),
          hearing.line("::1"), hearing.line("192.0.2.7", "ban", {}, std::chrono::days(400)),
          hearing.line("0.0.0.0/0", "allow"), hearing.line("128.0.0.0/1", "allow"), hearing.line("192.0.2.7:80"),
          hearing.line("192.0.2.7", "ban", -2h), hearing.line("192.0.2.9", "lifted"), garbage})
        hearing.guard.hear(line);
    EXPECT_EQ(hearing.guard.table().bans(), 0U);
    EXPECT_EQ(hearing.guard.table().allows(), 0U);
}

}  // namespace
