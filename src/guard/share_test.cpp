#include "guard/share.hpp"

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

std::string bulk(std::string_view text) {
    return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

TEST(SharedLine, IsReadAsItWasWritten) {
    GuardRow forever = row("192.0.2.7/32");
    forever.expires_ms.reset();
    for (const GuardRow& one : {row("2001:db8::/64"), forever}) EXPECT_EQ(parse_line(to_line(one)), one);
}

TEST(SharedLine, CanNotBeBrokenByWhatIsInIt) {
    GuardRow one = row("192.0.2.7/32");
    one.reason = "a\tb\nc";
    one.node = "edge\t2";
    const auto again = parse_line(to_line(one));
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

// One end of a connection is the share's; the other one is a Redis that a test writes by hand.
struct Scripted {
    io::testing::VirtualLoop loop;
    std::vector<std::string> heard;
    std::vector<GuardRow> mine;
    std::vector<std::string> changes;
    int met = 0;
    std::string got;     // of the share, so far
    std::vector<std::string> says;  // what each connection is told
    std::size_t connections = 0;

    Share share{*loop,
                {.connect = [this](io::Cancellation& cancellation) { return connect(cancellation); },
                 .heard = [this](const GuardRow& one) { heard.push_back(one.who); },
                 .mine = [this] { return mine; },
                 .node = "edge-1",
                 .own = [] { return std::vector{*IpAddress::parse("203.0.113.1"), *IpAddress::parse("::1")}; },
                 .met = [this] { ++met; },
                 .changed = [this](const std::string& why) { changes.push_back(why); }}};
    std::optional<io::Stream> redis;
    io::Cancellation redis_cancellation;

    io::Task<Result<io::Stream>> connect(io::Cancellation& cancellation) {
        if (connections == says.size()) {
            ++connections;
            cancellation.request();
            co_return fail("no more");
        }
        auto [near, far] = io::testing::socket_pair();
        redis = *io::Stream::adopt(*loop, std::move(far), redis_cancellation);
        redis->write(as_bytes(says[connections++]));
        co_return *io::Stream::adopt(*loop, std::move(near), cancellation);
    }
    // Lets the share live through all that `says` has.
    void live() {
        loop.run([](Scripted& self) -> io::Task<void> {
            io::Cancellation cancellation;
            co_await self.share.run(cancellation);
            self.redis.reset();
        }(*this));
    }
};

const std::string greeted = "%1\r\n+proto\r\n:3\r\n+OK\r\n>3\r\n+subscribe\r\n+c\r\n:1\r\n";
std::string scanned(std::string_view cursor, const std::vector<GuardRow>& rows) {
    std::string out = "*2\r\n" + bulk(cursor) + "*" + std::to_string(2 * rows.size()) + "\r\n";
    for (const GuardRow& one : rows) out += bulk(one.who) + bulk(to_line(one));
    return out;
}

TEST(Share, HearsAllThatIsThereAndEachMessageAfterIt) {
    Scripted scripted;
    scripted.says = {greeted + scanned("7", {row("192.0.2.1/32")}) + scanned("0", {row("192.0.2.2/32")}) +
                     ">3\r\n+message\r\n" + bulk("sallyport:guard:told") + bulk(to_line(row("192.0.2.3/32")))};
    scripted.live();
    EXPECT_EQ(scripted.heard, (std::vector<std::string>{"192.0.2.1/32", "192.0.2.2/32", "192.0.2.3/32"}));
    ASSERT_FALSE(scripted.changes.empty());
    EXPECT_EQ(scripted.changes.front(), "");
    EXPECT_EQ(scripted.share.lost(), 1U);
}

TEST(Share, IgnoresWhatIsNoLineOfTheGuard) {
    Scripted scripted;
    scripted.says = {greeted + "*2\r\n" + bulk("0") + "*4\r\n" + bulk("192.0.2.1/32") + bulk("rubbish") +
                     bulk("192.0.2.9/32") + bulk(to_line(row("192.0.2.2/32"))) + ">3\r\n+message\r\n+elsewhere\r\n" +
                     bulk(to_line(row("192.0.2.3/32")))};
    scripted.live();
    EXPECT_TRUE(scripted.heard.empty());
}

TEST(Share, GivesUpAConnectionThatMakesNoSense) {
    const std::pair<std::string, std::string> cases[] = {
        {"HTTP/1.1 400 Bad Request\r\n", "it sends what is no RESP3"},
        {"-WRONGPASS invalid\r\n", "it refuses: WRONGPASS invalid"},
        {greeted + "+OK\r\n", "its answer to HSCAN is none"},
        {greeted + scanned("0", {}) + ":1\r\n:1\r\n+OK\r\n", "its answer to HSCAN is none"},
        {greeted + scanned("0", {}) + ":1\r\n:1\r\n" + scanned("0", {}) + "+OK\r\n", "it answers what was not asked"},
        {"", "it does not answer"},
    };
    for (const auto& [says, why] : cases) {
        Scripted scripted;
        scripted.says = {says};
        scripted.live();
        ASSERT_FALSE(scripted.changes.empty());
        EXPECT_EQ(scripted.changes.back(), why);
    }
}

TEST(Share, AnnouncesItselfAndMeetsTheOthers) {
    Scripted scripted;
    const std::string other = "4000000000000 203.0.113.2 2001:db8::2";
    const std::string met_later = "gateway\tedge-3\t4000000000000 203.0.113.3";
    scripted.says = {greeted + scanned("0", {}) + ":1\r\n:1\r\n*2\r\n" + bulk("0") + "*6\r\n" + bulk("edge-2") +
                     bulk(other) + bulk("evil") + bulk("4000000000000 0.0.0.0/0") + bulk("worse") + bulk("x") +
                     ">3\r\n+message\r\n" + bulk("sallyport:guard:told") + bulk(met_later) + ">3\r\n+message\r\n" +
                     bulk("sallyport:guard:told") + bulk("gateway\tedge-4")};
    scripted.live();
    std::vector<std::string> addresses;
    for (const IpAddress& one : scripted.share.gateways().addresses()) addresses.push_back(one.to_string());
    EXPECT_EQ(addresses, (std::vector<std::string>{"203.0.113.2", "2001:db8::2", "203.0.113.3"}));
    EXPECT_EQ(scripted.met, 2);
    EXPECT_TRUE(scripted.heard.empty());
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
