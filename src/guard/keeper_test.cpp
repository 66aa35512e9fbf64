#include "guard/keeper.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>

using namespace sallyport;
using namespace sallyport::guard;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

constexpr WallTime noon{std::chrono::seconds(1'800'000'000)};
const Clocks present{SteadyTime{1h}, noon};
// A restart later: the steady clock has begun anew.
Clocks after(Duration time) { return {SteadyTime{10s}, noon + time}; }

Entry ban_until(SteadyTime expires) {
    return {.who = *Network::parse("192.0.2.7"),
            .since = SteadyTime{1h} - 5min,
            .expires = expires,
            .reason = "why",
            .protocol = telemetry::Protocol::sip,
            .count = 11,
            .node = "edge"};
}

TEST(KeptEntry, HasItsRestOfTimeAfterARestart) {
    const store::GuardRow row = row_of(ban_until(present.now + 10min), present);
    const auto again = entry_of(row, after(4min));
    ASSERT_TRUE(again);
    EXPECT_EQ(again->expires - after(4min).now, 6min);
    EXPECT_EQ(after(4min).now - again->since, 9min);
    EXPECT_EQ(again->reason, "why");
    EXPECT_EQ(again->protocol, telemetry::Protocol::sip);
    EXPECT_EQ(row_of(*again, after(4min)), row);
    EXPECT_FALSE(entry_of(row, after(10min)));
}

TEST(KeptEntry, LastsForEverWhereItDid) {
    const auto again = entry_of(row_of(ban_until(Entry::never), present), after(24h * 400));
    ASSERT_TRUE(again);
    EXPECT_EQ(again->expires, Entry::never);
}

TEST(KeptEntry, IsNotLengthenedByAClockThatWasSetBack) {
    const auto again = entry_of(row_of(ban_until(present.now + 10min), present), after(-24h));
    ASSERT_TRUE(again);
    EXPECT_EQ(again->expires - after(-24h).now, 15min);  // its whole term, and no more
}

TEST(KeptEntry, IsNoneOfWhatAStrangerMayHaveWritten) {
    const store::GuardRow good = row_of(ban_until(present.now + 10min), present);
    const auto with = [&good](auto change) {
        store::GuardRow row = good;
        change(row);
        return entry_of(row, present);
    };
    EXPECT_TRUE(with([](auto&) {}));
    EXPECT_FALSE(with([](auto& row) { row.who = "192.0.2.7:5060"; }));
    EXPECT_FALSE(with([](auto& row) { row.who = ""; }));
    EXPECT_FALSE(with([](auto& row) { row.verdict = "banned"; }));
    EXPECT_FALSE(with([](auto& row) { row.origin = ""; }));
    EXPECT_FALSE(with([](auto& row) { row.expires_ms = row.since_ms; }));
    EXPECT_FALSE(with([](auto& row) { row.since_ms = -1; }));
    EXPECT_FALSE(with([](auto& row) { row.expires_ms = std::numeric_limits<std::int64_t>::max(); }));
    EXPECT_FALSE(with([](auto& row) { row.since_ms = std::numeric_limits<std::int64_t>::min(); }));
    EXPECT_EQ(with([](auto& row) { row.reason = std::string(10'000, 'x'); })->reason.size(), Entry::max_reason);
    EXPECT_EQ(with([](auto& row) { row.protocol = "gopher"; })->protocol, std::nullopt);
    EXPECT_EQ(with([](auto& row) { row.count = -5; })->count, 0U);
}

struct Kept {
    std::string name = (fs::temp_directory_path() / "sallyport-keeper-XXXXXX").string();
    fs::path folder{::mkdtemp(name.data())};
    store::Database database{std::move(store::Database::open(folder, noon)->database)};
    store::GuardEntries entries{database};
    ~Kept() { fs::remove_all(folder); }
};

TEST(Keeper, WritesWhatBecameOfEachEntryAndReadsItBack) {
    Kept kept;
    Keeper keeper(kept.entries);
    const Entry ban = ban_until(present.now + 10min);
    Entry gone = ban;
    gone.who = *Network::parse("192.0.2.8");
    keeper.note({Change::What::added, ban});
    keeper.note({Change::What::added, gone});
    keeper.note({Change::What::expired, gone});
    EXPECT_EQ(keeper.write(present), std::nullopt);
    EXPECT_EQ(*Keeper(kept.entries).load(present), std::vector<Entry>{ban});
    EXPECT_TRUE(Keeper(kept.entries).load(after(10min))->empty());
}

TEST(Keeper, WritesAllThatIsDueWhereItIsTheEnd) {
    Kept kept;
    Keeper keeper(kept.entries);
    Entry ban = ban_until(present.now + 10min);
    for (std::uint32_t i = 0; i <= Keeper::edits_at_once; ++i) {
        ban.who = Network(IpAddress::v4(0xC0000000U + i), 32);
        keeper.note({Change::What::added, ban});
    }
    EXPECT_EQ(keeper.write_all(present), std::nullopt);
    EXPECT_EQ(Keeper(kept.entries).load(present)->size(), Keeper::edits_at_once + 1);
}

TEST(Keeper, HoldsNoMoreThanItsMostWhileTheDiskTakesNone) {
    Kept kept;
    Keeper keeper(kept.entries, 3);
    for (const char* who : {"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5", "192.0.2.5"}) {
        Entry ban = ban_until(present.now + 10min);
        ban.who = *Network::parse(who);
        keeper.note({Change::What::added, ban});
    }
    EXPECT_EQ(keeper.write(present), std::nullopt);
    const auto loaded = *Keeper(kept.entries).load(present);
    EXPECT_EQ(loaded.size(), 3U);
    EXPECT_EQ(loaded.back().address(), "192.0.2.5");
}

}  // namespace
