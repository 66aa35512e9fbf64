#include "egress/book.hpp"

#include "egress/keeper.hpp"
#include "egress/nat_map.hpp"

#include <gtest/gtest.h>

#include <set>

using namespace sallyport;
using namespace sallyport::egress;
using namespace std::chrono_literals;

namespace {

IpAddress ip(std::string_view text) { return *IpAddress::parse(text); }
WallTime at(Duration since_start) { return WallTime{1'800'000'000s} + since_start; }

Pool pool_of(std::initializer_list<const char*> texts) {
    std::vector<Network> networks;
    for (const char* text : texts) networks.push_back(*Network::parse(text));
    return Pool(networks, "site-1");
}

Person client(int i) { return {.address = IpAddress::v4(0x0A010000U + static_cast<unsigned>(i))}; }

IpAddress v4_of(const Choice& choice) { return choice.sources.of(Family::v4).value_or(IpAddress{}); }
Why why_of(const Choice& choice) { return choice.why[0]; }

}  // namespace

TEST(Book, GivesNothingWithoutAPool) {
    Book book;
    book.apply({});
    const Choice choice = book.choose(client(1), at(0s));
    EXPECT_EQ(choice.sources, Sources{});
    EXPECT_EQ(why_of(choice), Why::no_pool);
    EXPECT_FALSE(choice.refused(ip("17.0.0.1")));
    EXPECT_TRUE(book.take_changes().empty());
}

TEST(Book, KeepsWhatItGaveThoughThePoolGrows) {
    Book book;
    book.apply({.pool = pool_of({"192.0.2.16/29"})});
    std::vector<IpAddress> first;
    for (int i = 0; i < 1000; ++i) first.push_back(v4_of(book.choose(client(i), at(0s))));
    book.apply({.pool = pool_of({"192.0.2.16/28"})});
    for (int i = 0; i < 1000; ++i) {
        const Choice again = book.choose(client(i), at(1s));
        EXPECT_EQ(v4_of(again), first[static_cast<std::size_t>(i)]);
        EXPECT_EQ(why_of(again), Why::kept);
    }
    // It was no accident: without the memory half of them would have moved.
    Book fresh;
    fresh.apply({.pool = pool_of({"192.0.2.16/28"})});
    int moved = 0;
    for (int i = 0; i < 1000; ++i)
        moved += v4_of(fresh.choose(client(i), at(0s))) != first[static_cast<std::size_t>(i)] ? 1 : 0;
    EXPECT_NEAR(moved, 500, 100);
}

TEST(Book, MovesOnlyThoseWhosePoolMemberIsGone) {
    Book book;
    book.apply({.pool = pool_of({"192.0.2.16/30"})});
    std::vector<IpAddress> first;
    for (int i = 0; i < 10'000; ++i) first.push_back(v4_of(book.choose(client(i), at(0s))));
    book.apply({.pool = pool_of({"192.0.2.16/31", "192.0.2.18"})});
    int moved = 0;
    for (int i = 0; i < 10'000; ++i) {
        const auto now = v4_of(book.choose(client(i), at(1s)));
        const auto before = first[static_cast<std::size_t>(i)];
        moved += now != before ? 1 : 0;
        EXPECT_TRUE(now == before || before == ip("192.0.2.19"));
    }
    EXPECT_NEAR(moved, 2500, 250);
}

TEST(Book, IsTheSameAfterARestartFromItsChanges) {
    Book book;
    book.apply({.pool = pool_of({"192.0.2.16/29"})});
    for (int i = 0; i < 100; ++i) book.choose(client(i), at(0s));
    ASSERT_TRUE(book.pin(*Pin::make(PinKind::client, "10.1.0.7", ip("198.51.100.1")), at(5s)));
    Book restored;
    restored.apply({.pool = pool_of({"192.0.2.16/28"})});
    for (const Change& change : book.take_changes()) {
        if (change.pin)
            EXPECT_TRUE(restored.hear_pin(*Pin::of_subject(change.who, change.lease->source), *change.lease));
        else
            EXPECT_TRUE(restored.hear(change.who, *change.lease));
    }
    for (int i = 0; i < 100; ++i) EXPECT_EQ(v4_of(restored.look(client(i))), v4_of(book.look(client(i)))) << i;
    EXPECT_EQ(v4_of(restored.look(client(7))), ip("198.51.100.1"));
}

// One gateway takes over from another, by the lines that it has heard: though its own pool has grown, and with the
// pins.
TEST(Book, GivesTenThousandWhatAnotherGatewayGaveThem) {
    constexpr int everybody = 10'000;
    Book one;
    one.apply({.pool = pool_of({"192.0.2.0/27"})});
    for (int i = 0; i < everybody; ++i) one.choose(client(i), at(0s));
    ASSERT_TRUE(one.pin(*Pin::make(PinKind::client, "10.1.0.7", ip("198.51.100.1")), at(5s)));
    Book other;
    other.apply({.pool = pool_of({"192.0.2.0/26"})});
    for (const Change& change : one.take_changes()) EXPECT_TRUE(hear(line_of(change), other));
    int kept = 0;
    for (int i = 0; i < everybody; ++i) {
        const Choice choice = other.choose(client(i), at(10s));
        EXPECT_EQ(choice.sources, one.look(client(i)).sources) << i;
        kept += why_of(choice) == Why::kept ? 1 : 0;
    }
    EXPECT_EQ(kept, everybody - 1);
    EXPECT_EQ(v4_of(other.look(client(7))), ip("198.51.100.1"));
}

TEST(Book, GivesOneAddressOnceWhereItIsExclusive) {
    Book book;
    book.apply({.pool = pool_of({"192.0.2.16/28"}), .exclusive = true});
    std::set<IpAddress> given;
    for (int i = 0; i < 16; ++i) given.insert(v4_of(book.choose(client(i), at(0s))));
    EXPECT_EQ(given.size(), 16U);
    const Choice none = book.choose(client(16), at(0s));
    EXPECT_EQ(why_of(none), Why::exhausted);
    EXPECT_TRUE(none.refused(ip("17.0.0.1")));
    EXPECT_FALSE(none.refused(ip("2620:149:a44::1")));
    book.expire(at(31 * 24h));
    EXPECT_EQ(why_of(book.choose(client(16), at(31 * 24h))), Why::hash);
}

TEST(Book, LetsAPinPushOutWhoHadTheAddressWhereItIsExclusive) {
    Book book;
    book.apply({.pool = pool_of({"192.0.2.16/31"}), .exclusive = true});
    const IpAddress had = v4_of(book.choose(client(1), at(0s)));
    ASSERT_TRUE(book.pin(*Pin::make(PinKind::client, "10.1.0.2", had), at(1s)));
    EXPECT_EQ(v4_of(book.choose(client(2), at(2s))), had);
    const IpAddress moved = v4_of(book.choose(client(1), at(2s)));
    EXPECT_NE(moved, had);
    EXPECT_NE(moved, IpAddress{});
    EXPECT_TRUE(book.unpin("client 10.1.0.2", Family::v4, at(5s)));
    EXPECT_EQ(v4_of(book.choose(client(1), at(3s))), moved);
    EXPECT_FALSE(book.unpin("client 10.1.0.2", Family::v4, at(5s)));
}

TEST(Book, KeepsTheFirstHolderWhenItTurnsExclusive) {
    Book book;
    book.apply({.pool = pool_of({"192.0.2.16/32"})});
    book.choose(client(2), at(0s));
    book.choose(client(1), at(1s));
    book.apply({.pool = pool_of({"192.0.2.16/31"}), .exclusive = true});
    EXPECT_EQ(v4_of(book.choose(client(2), at(2s))), ip("192.0.2.16"));
    EXPECT_EQ(v4_of(book.choose(client(1), at(2s))), ip("192.0.2.17"));
}

TEST(Book, GivesTheFirstHoldersAddressToNobodyElseWhenTheSecondHasMoved) {
    Book book;
    book.apply({.pool = pool_of({"192.0.2.16/32"})});
    book.choose(client(2), at(0s));
    book.choose(client(1), at(1s));
    book.apply({.pool = pool_of({"192.0.2.16/31"}), .exclusive = true});
    EXPECT_EQ(v4_of(book.choose(client(1), at(2s))), ip("192.0.2.17"));
    EXPECT_EQ(why_of(book.choose(client(3), at(3s))), Why::exhausted);
    EXPECT_EQ(v4_of(book.choose(client(2), at(4s))), ip("192.0.2.16"));
}

TEST(Book, LetsAnAdministratorOverruleAGatewayWhoseClockIsAhead) {
    const Pin first = *Pin::make(PinKind::client, "10.1.0.1", ip("192.0.2.17"));
    const Pin second = *Pin::make(PinKind::client, "10.1.0.1", ip("192.0.2.18"));
    Book ahead;
    Book book;
    const auto tell = [](Book& from, Book& to) {
        for (const Change& change : from.take_changes()) EXPECT_TRUE(hear(line_of(change), to));
        to.take_changes();
    };
    ASSERT_TRUE(ahead.pin(first, at(1h)));
    tell(ahead, book);
    ASSERT_TRUE(book.pin(second, at(0s)));
    tell(book, ahead);
    EXPECT_EQ(v4_of(ahead.look(client(1))), ip("192.0.2.18"));
    ASSERT_TRUE(book.unpin("client 10.1.0.1", Family::v4, at(1s))) << "it stands in the list";
    tell(book, ahead);
    EXPECT_TRUE(ahead.pinned().empty());
    ASSERT_TRUE(book.pin(first, at(2s)));
    tell(book, ahead);
    EXPECT_EQ(v4_of(ahead.look(client(1))), ip("192.0.2.17"));
}

TEST(Book, BelievesTheOlderLineOfAnotherGateway) {
    Book book;
    book.apply({.pool = pool_of({"192.0.2.16/28"})});
    const IpAddress mine = v4_of(book.choose(client(1), at(10s)));
    const IpAddress other = mine == ip("192.0.2.20") ? ip("192.0.2.21") : ip("192.0.2.20");
    EXPECT_FALSE(book.hear("address 10.1.0.1", {other, at(11s), at(11s)}));
    EXPECT_EQ(v4_of(book.look(client(1))), mine);
    EXPECT_TRUE(book.hear("address 10.1.0.1", {other, at(9s), at(11s)}));
    EXPECT_EQ(v4_of(book.look(client(1))), other);
    EXPECT_FALSE(book.hear("address 10.1.0.1", {ip("203.0.113.1"), at(1s), at(11s)})) << "it is in no pool of ours";
}

TEST(Book, AgreesWithAnotherGatewayOnWhoHasAnExclusiveAddress) {
    Book one;
    Book two;
    for (Book* book : {&one, &two}) book->apply({.pool = pool_of({"192.0.2.16/31"}), .exclusive = true});
    // Apart from each other both gave the last addresses away; then they hear of each other's lines.
    for (int i = 0; i < 2; ++i) one.choose(client(i), at(1s));
    for (int i = 2; i < 4; ++i) two.choose(client(i), at(2s));
    const auto ones = one.take_changes();
    const auto twos = two.take_changes();
    for (const Change& change : ones) two.hear(change.who, *change.lease);
    for (const Change& change : twos) one.hear(change.who, *change.lease);
    for (int i = 0; i < 4; ++i) {
        EXPECT_EQ(one.look(client(i)).sources, two.look(client(i)).sources) << i;
        EXPECT_EQ(why_of(one.look(client(i))), i < 2 ? Why::kept : Why::exhausted) << i;
    }
}

TEST(Book, LetsTheConfigurationStandOverPinsByHand) {
    Book book;
    ASSERT_TRUE(book.pin(*Pin::make(PinKind::client, "10.1.0.1", ip("192.0.2.1")), at(0s)));
    ASSERT_TRUE(book.pin(*Pin::make(PinKind::client, "10.1.0.2", ip("192.0.2.1")), at(0s)));
    book.apply({.pins = {*Pin::make(PinKind::client, "10.1.0.1", ip("192.0.2.2"))}});
    EXPECT_EQ(v4_of(book.look(client(1))), ip("192.0.2.2"));
    EXPECT_EQ(v4_of(book.look(client(2))), ip("192.0.2.1"));
    EXPECT_FALSE(
        book.hear_pin(*Pin::make(PinKind::client, "10.1.0.2", ip("192.0.2.3")), {ip("192.0.2.3"), at(-1s), {}}));
    EXPECT_TRUE(book.hear_pin(*Pin::make(PinKind::client, "10.1.0.2", ip("192.0.2.3")), {ip("192.0.2.3"), at(1s), {}}));
    EXPECT_EQ(v4_of(book.look(client(2))), ip("192.0.2.3"));
}

TEST(Book, NotesAgainWhoIsSeenOnceAnHour) {
    Book book;
    book.apply({.pool = pool_of({"192.0.2.16/28"}), .remember_for = 2h});
    book.choose(client(1), at(0s));
    book.take_changes();
    book.choose(client(1), at(59min));
    EXPECT_TRUE(book.take_changes().empty());
    book.choose(client(1), at(60min));
    EXPECT_EQ(book.take_changes().size(), 1U);
    book.expire(at(3h));
    EXPECT_EQ(book.leases().size(), 1U);
    book.expire(at(3h + 1s));
    EXPECT_TRUE(book.leases().empty());
    ASSERT_EQ(book.take_changes().size(), 1U);
}

TEST(NatMap, NamesWhoIsPlacedAndWhatIsPinnedOnce) {
    Book book;
    People people;
    people.begin_stay(ip("10.1.0.9"), {.user = "alice"});
    people.begin_stay(ip("fd00::9"), {.user = "alice"});
    book.apply({.pool = pool_of({"192.0.2.16/28", "2001:db8::/124"}),
                .pins = {*Pin::make(PinKind::network, "10.2.0.0/16", ip("192.0.2.17")),
                         *Pin::make(PinKind::client, "10.1.0.1", ip("192.0.2.18")),
                         *Pin::make(PinKind::client, "10.1.0.1", ip("2001:db8::1")),
                         *Pin::make(PinKind::user, "alice", ip("192.0.2.19")),
                         *Pin::make(PinKind::user, "bob", ip("192.0.2.20")),
                         *Pin::make(PinKind::mac, "02:00:00:00:00:01", ip("192.0.2.21"))}});
    book.choose(client(2), at(0s));  // whom its address alone tells
    const IpAddress alice = *book.choose(people.behind(ip("fd00::9")), at(0s)).sources.of(Family::v6);
    const std::vector<NatEntry> wanted{{*Network::parse("10.1.0.1"), ip("192.0.2.18")},
                                       {*Network::parse("10.1.0.9"), ip("192.0.2.19")},
                                       {*Network::parse("10.2.0.0/16"), ip("192.0.2.17")},
                                       {*Network::parse("fd00::9"), alice}};
    const NatMap map = nat_map(book, people);
    EXPECT_EQ(map.entries, wanted);
    EXPECT_EQ(map.unplaced, (std::vector<std::string>{"user bob", "mac 02:00:00:00:00:01"}));
}
