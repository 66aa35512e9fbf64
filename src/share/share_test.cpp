#include "share/share.hpp"

#include "base/text.hpp"
#include "io/testing.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

using namespace sallyport;
using namespace sallyport::share;

namespace {

// Lines of these tests: who, rank, when it ends.
Line line(const std::string& who, std::int64_t rank = 1000, std::int64_t expires_ms = 4'000'000'000'000) {
    return {.who = who,
            .rank = rank,
            .expires_ms = expires_ms,
            .text = who + '\t' + std::to_string(rank) + '\t' + std::to_string(expires_ms)};
}

std::optional<Line> read(std::string_view text) {
    const auto fields = fields_of(text, 3);
    if (!fields) return std::nullopt;
    const auto rank = parse_number<std::int64_t>((*fields)[1]);
    return rank ? std::optional(Line{std::string((*fields)[0]), *rank, time_of((*fields)[2])}) : std::nullopt;
}

std::string bulk(std::string_view text) {
    return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

// One end of a connection is the share's; the other one is a Redis that a test writes by hand.
struct Scripted {
    io::testing::VirtualLoop loop;
    std::vector<std::string> heard;
    std::vector<Line> mine;
    std::vector<std::string> changes;
    int met = 0;
    std::string got;                // of the share
    std::vector<std::string> says;  // what each connection is told
    std::size_t connections = 0;

    Share share{*loop,
                {.connect = [this](io::Cancellation& cancellation) { return connect(cancellation); },
                 .lists = {list("one"), list("two")},
                 .node = "edge-1",
                 .own = [] { return std::vector{*IpAddress::parse("203.0.113.1"), *IpAddress::parse("::1")}; },
                 .met = [this] { ++met; },
                 .changed = [this](const std::string& why) { changes.push_back(why); }}};
    std::optional<io::Stream> redis;
    io::Cancellation redis_cancellation;

    List list(const std::string& key) {
        return {.key = key,
                .hear =
                    [this, key](std::string_view text, const List::Judge& judge) {
                        const auto said = read(text);
                        if (said && judge(*said)) heard.push_back(key + ' ' + said->who);
                    },
                .mine = [this] { return mine; }};
    }
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
    // Lets the share live through all that `says` has; answers what it said itself.
    std::string live() {
        loop.run([](Scripted& self) -> io::Task<void> {
            io::Cancellation cancellation;
            co_await self.share.run(cancellation);
            std::array<std::byte, 65536> room{};
            if (const io::Got got = self.redis->read(room); got.io == io::Io::ok)
                self.got = as_text(Bytes(room).first(got.bytes));
            self.redis.reset();
        }(*this));
        return got;
    }
};

const std::string greeted = "%1\r\n+proto\r\n:3\r\n+OK\r\n>3\r\n+subscribe\r\n+c\r\n:1\r\n";
std::string scanned(std::string_view cursor, const std::vector<Line>& lines) {
    std::string out = "*2\r\n" + bulk(cursor) + "*" + std::to_string(2 * lines.size()) + "\r\n";
    for (const Line& one : lines) out += bulk(one.who) + bulk(one.text);
    return out;
}
std::string message(std::string_view channel, std::string_view text) {
    return ">3\r\n+message\r\n" + bulk(channel) + bulk(text);
}
// Both lists are empty, and it was announced.
const std::string in_step = greeted + scanned("0", {}) + scanned("0", {}) + ":1\r\n:1\r\n";

TEST(SharedFields, AreAsManyAsTheyShouldBe) {
    using Fields = std::vector<std::string_view>;
    EXPECT_EQ(fields_of("a\tb\tc", 3), (Fields{"a", "b", "c"}));
    EXPECT_EQ(fields_of("a\t\tc\td", 3), (Fields{"a", "", "c\td"}));
    EXPECT_EQ(fields_of("", 1), Fields{""});
    for (const std::string& text : {std::string(), std::string("a\tb"), std::string(most_of_line, 'x') + "\t\t"})
        EXPECT_FALSE(fields_of(text, 3)) << text.substr(0, 40);
    EXPECT_EQ(time_of("1000"), 1000);
    for (const char* text : {"", "-5", "1x", " 1", "9999999999999999"}) EXPECT_FALSE(time_of(text)) << text;
    EXPECT_EQ(without_controls("a\tb\n\x7F"), "a b  ");
}

TEST(Share, HearsAllThatIsThereAndEachMessageAfterIt) {
    Scripted scripted;
    scripted.says = {greeted + scanned("7", {line("a")}) + scanned("0", {line("b")}) + scanned("0", {line("c")}) +
                     message("one:told", line("d").text) + message("two:told", line("e").text)};
    scripted.live();
    EXPECT_EQ(scripted.heard, (std::vector<std::string>{"one a", "one b", "two c", "one d", "two e"}));
    ASSERT_FALSE(scripted.changes.empty());
    EXPECT_EQ(scripted.changes.front(), "");
    EXPECT_EQ(scripted.share.lost(), 1U);
}

TEST(Share, TellsWhatIsMissingThereOrOfLowerRank) {
    Scripted scripted;
    scripted.mine = {line("a", 5), line("b", 5), line("c", 5)};
    scripted.says = {greeted + scanned("0", {line("a", 4), line("b", 5), line("c", 6)}) +
                     scanned("0", {line("a", 5), line("b", 5), line("c", 5)})};
    const std::string told = scripted.live();
    EXPECT_NE(told.find(bulk("HSET") + bulk("one") + bulk("a") + bulk(line("a", 5).text)), std::string::npos) << told;
    EXPECT_NE(told.find(bulk("PUBLISH") + bulk("one:told") + bulk(line("a", 5).text)), std::string::npos) << told;
    for (const char* other : {"b", "c"}) EXPECT_EQ(told.find(bulk("one") + bulk(other)), std::string::npos) << other;
    EXPECT_EQ(told.find(bulk("HSET") + bulk("two")), std::string::npos);
}

TEST(Share, TellsNothingThatWaitedAndIsOlderThanWhatIsThere) {
    Scripted scripted;
    for (const auto& one : {line("a", 5), line("b", 5), line("c", 5), line("d", 5)}) scripted.share.tell(0, one);
    scripted.says = {greeted + scanned("0", {line("a", 4), line("b", 5), line("c", 6)}) + scanned("0", {line("d", 9)})};
    const std::string told = scripted.live();
    EXPECT_EQ(told.find(bulk("one") + bulk("c")), std::string::npos);
    for (const char* news : {"a", "b", "d"}) EXPECT_NE(told.find(bulk("one") + bulk(news)), std::string::npos) << news;
}

TEST(Share, ClearsAwayWhatIsOverAndHearsNothingOfIt) {
    Scripted scripted;
    scripted.says = {greeted + scanned("0", {line("a", 1, 1)}) + scanned("0", {})};
    const std::string told = scripted.live();
    EXPECT_NE(told.find(bulk("HDEL") + bulk("one") + bulk("a")), std::string::npos) << told;
    EXPECT_TRUE(scripted.heard.empty());
}

TEST(Share, IgnoresWhatIsNoLineOfItsLists) {
    Scripted scripted;
    scripted.says = {greeted + "*2\r\n" + bulk("0") + "*4\r\n" + bulk("a") + bulk("rubbish") + bulk("another's name") +
                     bulk(line("b").text) + scanned("0", {}) + message("elsewhere", line("c").text) +
                     message("one:told", "rubbish")};
    scripted.live();
    EXPECT_TRUE(scripted.heard.empty());
}

TEST(Share, GivesUpAConnectionThatMakesNoSense) {
    const std::pair<std::string, std::string> cases[] = {
        {"HTTP/1.1 400 Bad Request\r\n", "it sends what is no RESP3"},
        {"-WRONGPASS invalid\r\n", "it refuses: WRONGPASS invalid"},
        {"-ERR unknown command `HELLO`, with args beginning with: `3`, `AUTH`, `default`, `a secret`, \r\n",
         "it refuses: ERR unknown command `HELLO` (Redis 6 or later does, and Valkey)"},
        {greeted.substr(0, greeted.find("+OK")) + "-ERR DB index is out of range, they say\r\n",
         "it refuses: ERR DB index is out of range, they say"},
        {greeted + "+OK\r\n", "its answer to HSCAN is none"},
        {greeted + scanned("0", {}) + "+OK\r\n", "its answer to HSCAN is none"},
        {in_step + "+OK\r\n", "its answer to HSCAN is none"},
        {in_step + scanned("0", {}) + "+OK\r\n", "it answers what was not asked"},
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
    scripted.says = {in_step + "*2\r\n" + bulk("0") + "*6\r\n" + bulk("edge-2") + bulk(other) + bulk("evil") +
                     bulk("4000000000000 0.0.0.0/0") + bulk("worse") + bulk("x") +
                     message("sallyport:gateways:told", "edge-3\t4000000000000 203.0.113.3") +
                     message("sallyport:gateways:told", "edge-4")};
    scripted.live();
    std::vector<std::string> addresses;
    for (const IpAddress& one : scripted.share.gateways().addresses()) addresses.push_back(one.to_string());
    EXPECT_EQ(addresses, (std::vector<std::string>{"203.0.113.2", "2001:db8::2", "203.0.113.3"}));
    EXPECT_EQ(scripted.met, 2);
    EXPECT_TRUE(scripted.heard.empty());
}

}  // namespace
