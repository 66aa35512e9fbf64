#include "dns/cache.hpp"

#include "dns/answers_testing.hpp"
#include "dns/testing.hpp"

#include <gtest/gtest.h>

namespace sallyport::dns {
namespace {

using namespace std::chrono_literals;
using testing::octets;
using testing::RecordText;
using Age = Cache::Age;

constexpr SteadyTime t0{1h};

// A question and what the cache knows it by.
struct Asking {
    explicit Asking(const testing::QueryText& text, std::uint16_t group = 0) : message(testing::query(text)) {
        EXPECT_EQ(read_query(as_bytes(message), query), Received::query);
        key = {query.question, NameKey(query.name(), testing::seed).hash(0), group, kind_of(query)};
    }
    std::string message;
    Query query;
    CacheKey key;
};

void store(Cache& cache, const Asking& asking, testing::AnswerText answer, SteadyTime now) {
    answer.question = std::string(as_text(asking.query.question));
    const std::string message = testing::answer(answer);
    const auto response = read_response(as_bytes(message));
    ASSERT_TRUE(response);
    cache.store(asking.key, as_bytes(message), examine(as_bytes(message), *response), now);
}

void store_address(Cache& cache, std::string_view name, SteadyTime now, std::uint32_t ttl = 300) {
    const Asking asking({.name = name});
    store(cache, asking, {.answers = {{name, type::a, ttl}}}, now);
}

Age age(Cache& cache, std::string_view name, SteadyTime now) {
    const Asking asking({.name = name});
    return cache.find(asking.key, now).age;
}

TEST(DnsCache, GivesAnAnswerBackAsOneToWhoeverAsks) {
    Cache cache(10, 1h);
    const Asking first({.name = "hq.example.com"});
    store(cache, first, {.id = 7, .flags = 0x8580, .answers = {{"hq.example.com"}}}, t0);
    const Asking second({.name = "HQ.Example.com", .id = 0xBEEF, .flags = 0x0100});
    std::array<std::byte, 512> room;
    const auto found = cache.find(second.key, t0 + 100s);
    ASSERT_EQ(found.age, Age::fresh);
    EXPECT_EQ(as_text(cache.write(found, room, Asked::of(second.query), t0 + 100s)),
              octets("BEEF 8180 0001 0001 0000 0000 02'HQ'07'Example'03'com'00 0001 0001"
                     "02'hq'07'example'03'com'00 0001 0001 000000C8 0004 C0000207"))
        << "its ID, its spelling, 100 s off the TTL, and no authority";
}

TEST(DnsCache, KeepsApartWhatHasAnswersOfItsOwn) {
    Cache cache(10, 1h);
    store_address(cache, "hq.example.com", t0);
    using testing::QueryText;
    const Asking others[] = {
        Asking({.name = "hq.example.com", .type = type::aaaa}),
        Asking({.name = "hq.example.org"}),
        Asking({.name = "hq.example.com", .edns = true}),
        Asking({.name = "hq.example.com", .edns = true, .dnssec_ok = true}),
        Asking({.name = "hq.example.com", .flags = 0}),
        Asking({.name = "hq.example.com", .flags = 0x0110}),
        Asking({.name = "hq.example.com"}, 1),
    };
    for (const Asking& other : others) EXPECT_EQ(cache.find(other.key, t0).age, Age::none);
    EXPECT_EQ(age(cache, "hq.example.com", t0), Age::fresh);
}

TEST(DnsCache, LetsAnswersRipenAndGoStale) {
    Cache cache(10, 1h);
    store_address(cache, "hq.example.com", t0);
    EXPECT_EQ(age(cache, "hq.example.com", t0 + 269s), Age::fresh);
    EXPECT_EQ(age(cache, "hq.example.com", t0 + 271s), Age::ripe) << "a tenth is left, and it is asked for";
    EXPECT_EQ(age(cache, "hq.example.com", t0 + 300s), Age::stale);
    EXPECT_EQ(age(cache, "hq.example.com", t0 + 300s + 1h - 1ns), Age::stale);
    EXPECT_EQ(age(cache, "hq.example.com", t0 + 300s + 1h), Age::none);
}

TEST(DnsCache, SaysThatAnAnswerIsStaleAndGivesItHalfAMinute) {
    Cache cache(10, 1h);
    const Asking asking({.name = "hq.example.com", .edns = true});
    store(cache, asking, {.answers = {{"hq.example.com"}}, .opt = true, .options = octets("000F0002 0000")}, t0);
    std::array<std::byte, 512> room;
    const auto found = cache.find(asking.key, t0 + 400s);
    const Bytes answer = cache.write(found, room, Asked::of(asking.query), t0 + 400s);
    const auto response = read_response(answer);
    ASSERT_TRUE(response);
    RecordReader records(answer, response->header, response->records_at());
    EXPECT_EQ(records.next()->ttl, 30U);
    const auto opt = records.next();
    ASSERT_TRUE(opt);
    EXPECT_EQ(as_text(read_edns(answer, *opt)->options), octets("000F 0002 0003")) << "the OPT is this answer's own";
}

TEST(DnsCache, CutsWhatDoesNotFit) {
    Cache cache(10, 1h);
    const Asking asking({.name = "hq.example.com", .edns = true});
    store(cache, asking, {.answers = {{"hq.example.com", type::txt, 60, std::string(600, 'x')}}}, t0);
    std::array<std::byte, 512> room;
    const Bytes answer = cache.write(cache.find(asking.key, t0), room, Asked::of(asking.query), t0);
    const auto response = read_response(answer);
    ASSERT_TRUE(response);
    EXPECT_TRUE(response->header.has(flag::truncated));
    EXPECT_EQ(response->header.answers, 0);
    EXPECT_EQ(response->header.additionals, 1);
}

TEST(DnsCache, IsBoundedAndDropsWhatWasNotUsedForLongest) {
    Cache cache(3, 1h);
    for (const char* name : {"a.test", "b.test", "c.test"}) store_address(cache, name, t0);
    EXPECT_EQ(age(cache, "a.test", t0), Age::fresh);
    store_address(cache, "d.test", t0);
    EXPECT_EQ(cache.size(), 3U);
    EXPECT_EQ(age(cache, "b.test", t0), Age::none);
    for (const char* name : {"a.test", "c.test", "d.test"}) EXPECT_EQ(age(cache, name, t0), Age::fresh) << name;
}

TEST(DnsCache, AFailureDoesNotReplaceWhatCanStillBeServed) {
    Cache cache(10, 1h);
    store_address(cache, "hq.example.com", t0);
    const Asking asking({.name = "hq.example.com"});
    store(cache, asking, {.flags = 0x8182}, t0 + 310s);
    EXPECT_EQ(age(cache, "hq.example.com", t0 + 310s), Age::stale);
    const Asking other({.name = "new.example.com"});
    store(cache, other, {.flags = 0x8182}, t0);
    EXPECT_EQ(cache.find(other.key, t0 + 1s).age, Age::fresh);
    EXPECT_EQ(cache.find(other.key, t0 + 2s).age, Age::none) << "a failure is never stale";
}

TEST(DnsCache, HoldsUnderManyNamesThatComeAndGo) {
    Cache cache(64, 1h);
    for (int i = 0; i < 5000; ++i) {
        store_address(cache, "n" + std::to_string(i * 7919 % 1000) + ".test", t0 + std::chrono::seconds(i));
        if (i >= 10) age(cache, "n" + std::to_string((i - 10) * 7919 % 1000) + ".test", t0 + std::chrono::seconds(i));
    }
    EXPECT_EQ(cache.size(), 64U);
    EXPECT_EQ(age(cache, "n" + std::to_string(4999 * 7919 % 1000) + ".test", t0 + 5000s), Age::fresh);
}

TEST(DnsCache, CanBeSwitchedOff) {
    Cache cache(0, 1h);
    store_address(cache, "hq.example.com", t0);
    EXPECT_EQ(age(cache, "hq.example.com", t0), Age::none);
}

}  // namespace
}  // namespace sallyport::dns
