// Lines of the book between gateways, by the registry that hears them.
#include "egress/shared_line.hpp"

#include "egress/registry.hpp"
#include "io/testing.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

using namespace sallyport;
using namespace sallyport::egress;
using namespace std::chrono_literals;
using store::EgressLine;

namespace {

constexpr Duration month = std::chrono::days(30);

IpAddress ip(std::string_view text) { return *IpAddress::parse(text); }

EgressLine pin_line(const char* who, const char* source, std::int64_t since_ms = 1000) {
    return {.who = who,
            .pin = true,
            .v6 = std::string_view(source).contains(':'),
            .source = source,
            .since_ms = since_ms,
            .seen_ms = since_ms};
}

// A gateway without a Redis: what it would tell is kept.
struct Gateway {
    io::testing::VirtualLoop& loop;
    std::vector<std::string> told;
    int outdated = 0;
    Registry registry{*loop,
                      {.outdated = [this](const auto&) { ++outdated; },
                       .trouble = [](const auto&) {},
                       .tell = [this](const EgressLine& line) { told.push_back(shared_line(line, month).text); }}};

    explicit Gateway(io::testing::VirtualLoop& at, std::string_view pool = "192.0.2.16/28", bool exclusive = false)
        : loop(at) {
        registry.apply(
            {.policy = {.pool = Pool(std::vector{*Network::parse(pool)}, "site-1"), .exclusive = exclusive}});
    }
    void hear(const std::vector<std::string>& lines) {
        for (const std::string& line : lines) {
            if (const auto read = parse_shared_line(line)) registry.hear(read->line);
        }
    }
    void pin(std::string_view who, std::string_view source) {
        ASSERT_TRUE(registry.pin(*Pin::of_subject(who, ip(source))));
    }
    std::string source_of(std::string_view client) {
        const auto source = registry.look(ip(client)).sources.of(Family::v4);
        return source ? source->to_string() : "";
    }
};

}  // namespace

TEST(SharedSource, IsReadAsItWasWritten) {
    const EgressLine lines[] = {pin_line("user alice@example.com x", "192.0.2.17"),
                                pin_line("network 2001:db8::/32", "2001:db8:f::1"),
                                {.who = "mac 02:00:5e:10:00:01", .source = "192.0.2.18", .since_ms = 7, .seen_ms = 9},
                                {.who = "client 10.1.0.9", .pin = true, .since_ms = 8}};
    for (const EgressLine& line : lines) {
        const share::Line written = shared_line(line, month);
        const auto read = parse_shared_line(written.text);
        ASSERT_TRUE(read) << written.text;
        EXPECT_EQ(read->line, line) << written.text;
        EXPECT_EQ(read->known.who, written.who);
        EXPECT_EQ(read->known.rank, written.rank);
        EXPECT_EQ(read->known.expires_ms, written.expires_ms);
    }
}

TEST(SharedSource, IsNoneOfAnythingElse) {
    for (const std::string& text : {std::string(), std::string("pin v4 client 10.1.0.1"), std::string(3000, 'x'),
                                    std::string("pin v5 client 10.1.0.1\t192.0.2.17\t1\t1\t-"),
                                    std::string("pin v4 somebody 10.1.0.1\t192.0.2.17\t1\t1\t-"),
                                    std::string("pin v4 client 10.1.0.1:80\t192.0.2.17\t1\t1\t-"),
                                    std::string("pin v4 client ::ffff:10.1.0.1\t192.0.2.17\t1\t1\t-"),
                                    std::string("pin v4 client 10.1.0.1\t192.0.2.17\t-1\t1\t-"),
                                    std::string("pin v4 client 10.1.0.1\t192.0.2.17\t1\t1\t"),
                                    std::string("given v4 client 10.1.0.1\t192.0.2.17\t1\t1\t-"),
                                    std::string("given v4 address 010.1.0.1\t192.0.2.17\t1\t1\t-"),
                                    std::string("given v4 address 10.1.0.1\t-\t1\t1\t-")})
        EXPECT_FALSE(parse_shared_line(text)) << text.substr(0, 60);
}

TEST(SharedSource, TravelsWithItsEnd) {
    io::testing::VirtualLoop loop;
    const auto pass_a_second = [&loop] {
        loop.run([](io::Loop& at) -> io::Task<void> {
            io::Cancellation none;
            co_await io::Sleep(at, none, at.in(1s));
        }(*loop));
    };
    Gateway one(loop);
    Gateway two(loop);
    pass_a_second();
    one.pin("client 10.1.0.1", "192.0.2.17");
    two.hear(one.told);
    EXPECT_EQ(two.source_of("10.1.0.1"), "192.0.2.17");
    EXPECT_TRUE(two.told.empty()) << "nobody need be told again";
    pass_a_second();
    EXPECT_TRUE(two.registry.unpin("client 10.1.0.1", Family::v4));
    one.hear(two.told);
    EXPECT_FALSE(one.registry.unpin("client 10.1.0.1", Family::v4)) << "it is gone";
    // Of one who was away: what it tells is older than the end.
    one.hear({shared_line(pin_line("client 10.1.0.1", "192.0.2.17", 5), month).text});
    EXPECT_FALSE(one.registry.unpin("client 10.1.0.1", Family::v4));
    EXPECT_EQ(one.registry.lines().size(), 1U) << "and who comes later learns of its end";
    pass_a_second();
    one.pin("client 10.1.0.1", "192.0.2.19");
    two.hear(one.told);
    EXPECT_EQ(two.source_of("10.1.0.1"), "192.0.2.19");
}

TEST(SharedSource, IsTheSameForWhoeverComesByAnotherGateway) {
    io::testing::VirtualLoop loop;
    Gateway one(loop, "192.0.2.16/29");
    std::vector<std::string> first;
    for (int i = 1; i < 100; ++i) {
        const IpAddress client = IpAddress::v4(0x0A010000U + static_cast<unsigned>(i));
        first.push_back(one.registry.choose(client).sources.of(Family::v4)->to_string());
    }
    Gateway two(loop, "192.0.2.16/28");  // the pool has grown meanwhile: the hash alone would say another
    two.hear(one.told);
    for (int i = 1; i < 100; ++i)
        EXPECT_EQ(two.source_of("10.1.0." + std::to_string(i)), first[static_cast<std::size_t>(i - 1)]) << i;
}

TEST(SharedSource, OfAHostileRedisMovesNobodyOutOfThePool) {
    io::testing::VirtualLoop loop;
    Gateway one(loop);
    one.pin("client 10.1.0.1", "192.0.2.17");
    const std::int64_t wall =
        std::chrono::duration_cast<std::chrono::milliseconds>(loop->wall().time_since_epoch()).count();
    const std::int64_t years_ahead = wall + std::int64_t{10} * 365 * 86'400'000;
    one.hear(
        {shared_line({.who = "address 10.1.0.2", .source = "192.0.2.18", .since_ms = 5, .seen_ms = years_ahead}, month)
             .text});
    EgressLine end{.who = "client 10.1.0.1", .pin = true, .since_ms = years_ahead};
    one.hear({shared_line(pin_line("client 10.1.0.1", "203.0.113.66", wall + 5), month).text,
              shared_line(pin_line("client 10.1.0.1", "192.0.2.20", years_ahead), month).text,
              shared_line(pin_line("client 10.1.0.1", "192.0.2.21", 5), month).text, shared_line(end, month).text});
    EXPECT_EQ(one.source_of("10.1.0.1"), "192.0.2.17");
    EXPECT_EQ(one.registry.lines().size(), 1U);
}

TEST(Registry, GivesWhatIsPinnedByHandThoughThereIsNoPool) {
    io::testing::VirtualLoop loop;
    Gateway one(loop);
    one.registry.apply({});
    EXPECT_FALSE(one.registry.enabled());
    const int before = one.outdated;
    one.pin("client 10.1.0.1", "192.0.2.17");
    EXPECT_TRUE(one.registry.enabled());
    EXPECT_EQ(one.outdated, before + 1) << "lookups learn of it";
    EXPECT_EQ(one.source_of("10.1.0.1"), "192.0.2.17");
}

TEST(SharedSource, TellsLookupsOnceASecondHoweverManyItHears) {
    io::testing::VirtualLoop loop;
    Gateway one(loop);
    const int before = one.outdated;
    for (int i = 0; i < 1000; ++i) {
        const std::string who = "client 10.1." + std::to_string(i / 250) + '.' + std::to_string(i % 250);
        one.hear({shared_line(pin_line(who.c_str(), "192.0.2.18"), month).text});
    }
    loop.run([](Gateway& gateway) -> io::Task<void> {
        io::Cancellation cancellation;
        io::Scope scope(*gateway.loop);
        scope.spawn(gateway.registry.keep_time(scope.cancellation()));
        co_await io::Sleep(*gateway.loop, cancellation, gateway.loop->in(3s));
        scope.cancel();
        co_await scope.join();
    }(one));
    EXPECT_EQ(one.outdated, before + 1);
    EXPECT_EQ(one.source_of("10.1.3.249"), "192.0.2.18");
}
