#include "gate/targets/kept.hpp"

#include "io/testing.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace sallyport;
using namespace sallyport::gate;
using namespace std::chrono_literals;
using io::testing::open_descriptors;
using io::testing::socket_pair;
using io::testing::VirtualLoop;

namespace {

// The kept connections of a loop. A connection is known by its text; the target's end of it is at hand.
struct Shelf {
    VirtualLoop loop;
    KeptConnections kept{*loop};
    std::shared_ptr<TargetState> target = std::make_shared<TargetState>();
    std::shared_ptr<TargetState> other = std::make_shared<TargetState>();
    std::vector<io::Fd> ends;
    io::Cancellation session;
    io::Cancellation never;

    TargetConnection connection(std::string text, bool tls = false, std::string server_name = "",
                                std::shared_ptr<TargetState> of = nullptr) {
        auto [near, far] = socket_pair();
        ends.push_back(std::move(far));
        return {.stream = *io::Stream::adopt(*loop, std::move(near), session),
                .lease = *Lease::take(of ? of : target, nullptr, 0),
                .text = std::move(text),
                .server_name = std::move(server_name),
                .tls = tls,
                .epoch = kept.epoch()};
    }
    void put(std::string text) { kept.put(connection(std::move(text))); }
    /// The text of what is taken; "-": nothing.
    std::string take(Duration younger_than = KeptConnections::kept_for) {
        return text_of(kept.take(*target, false, "", {}, younger_than, session));
    }
    static std::string text_of(const std::optional<TargetConnection>& taken) { return taken ? taken->text : "-"; }
    auto sleep(Duration duration) { return io::Sleep(*loop, never, loop->in(duration)); }
    /// Lets the loop see what the targets have done.
    auto a_turn() { return sleep(1ms); }

    void run(io::Task<void> script) {
        loop.run([](Shelf& self, io::Task<void> what) -> io::Task<void> {
            co_await what;
            co_await self.kept.close();
            EXPECT_EQ(self.kept.size(), 0U);
            EXPECT_EQ(self.target->active(), 0U) << "each gave its place back";
            EXPECT_EQ(self.other->active(), 0U);
        }(*this, std::move(script)));
    }
};

bool is_closed(const io::Fd& end) {
    char byte;
    return ::recv(end.get(), &byte, 1, 0) == 0;
}

}  // namespace

TEST(KeptConnections, TheLastUsedIsTakenFirst) {
    Shelf shelf;
    shelf.run([](Shelf& on) -> io::Task<void> {
        EXPECT_EQ(on.take(), "-");
        for (const char* text : {"first", "second", "third"}) {
            on.put(text);
            co_await on.sleep(1s);
        }
        EXPECT_EQ(on.kept.size(), 3U);
        EXPECT_EQ(on.target->active(), 3U);
        EXPECT_EQ(on.take(), "third");
        EXPECT_EQ(on.take(), "second");
        on.put("fourth");
        EXPECT_EQ(on.take(), "fourth");
        EXPECT_EQ(on.take(), "first");
        EXPECT_EQ(on.take(), "-");
        EXPECT_EQ(on.kept.size(), 0U);
    }(shelf));
}

TEST(KeptConnections, OnlyOneThatFitsIsTaken) {
    struct Case {
        const char* what;
        bool own_target, tls;
        const char* server_name;
        const char* taken;
    };
    const Case cases[] = {
        {"plain", true, false, "", "plain"},
        {"for a name", true, true, "a.example.com", "tls a"},
        {"for another name", true, true, "b.example.com", "tls b"},
        {"for a name that none was checked for", true, true, "c.example.com", "-"},
        {"TLS without a name", true, true, "", "-"},
        {"the name in other letters", true, true, "A.example.com", "-"},
        {"plain with a name", true, false, "a.example.com", "-"},
        {"of another target", false, false, "", "-"},
        {"TLS of another target", false, true, "a.example.com", "tls other"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.what);
        Shelf shelf;
        shelf.run([](Shelf& on, const Case& how) -> io::Task<void> {
            on.kept.put(on.connection("plain"));
            on.kept.put(on.connection("tls a", true, "a.example.com"));
            on.kept.put(on.connection("tls b", true, "b.example.com"));
            on.kept.put(on.connection("tls other", true, "a.example.com", on.other));
            const TargetState& asked = how.own_target ? *on.target : *on.other;
            const bool found = std::string_view(how.taken) != "-";
            EXPECT_EQ(Shelf::text_of(on.kept.take(asked, how.tls, how.server_name, {}, 1min, on.session)), how.taken);
            EXPECT_EQ(on.kept.size(), found ? 3U : 4U);
            EXPECT_EQ(Shelf::text_of(on.kept.take(asked, how.tls, how.server_name, {}, 1min, on.session)), "-");
            co_return;
        }(shelf, c));
    }
}

TEST(KeptConnections, OneIsUsedAgainByThoseOfItsSourceAddressAlone) {
    Shelf shelf;
    shelf.run([](Shelf& on) -> io::Task<void> {
        const egress::Sources alices{{IpAddress::parse("192.0.2.17")}};
        const egress::Sources bobs{{IpAddress::parse("192.0.2.18")}};
        TargetConnection made = on.connection("alice's");
        made.sources = alices;
        on.kept.put(std::move(made));
        const auto taken_by = [&on](const egress::Sources& sources) {
            return Shelf::text_of(on.kept.take(*on.target, false, "", sources, 1min, on.session));
        };
        EXPECT_EQ(taken_by({}), "-");
        EXPECT_EQ(taken_by(bobs), "-");
        EXPECT_EQ(taken_by(alices), "alice's");
        co_return;
    }(shelf));
}

TEST(KeptConnections, WhoNeedsAFreshOneGetsNoOlder) {
    Shelf shelf;
    shelf.run([](Shelf& on) -> io::Task<void> {
        on.put("old");
        co_await on.sleep(2s);
        EXPECT_EQ(on.take(1s), "-");
        EXPECT_EQ(on.kept.size(), 1U) << "it stays for others";
        on.put("young");
        co_await on.sleep(900ms);
        EXPECT_EQ(on.take(1s), "young");
        EXPECT_EQ(on.take(1s), "-");
        EXPECT_EQ(on.take(), "old");
    }(shelf));
}

// What the target did to the one that was used last, while it waited.
TEST(KeptConnections, OneThatIsNotQuietIsPassedOver) {
    struct Case {
        const char* what;
        void (*does)(io::Fd& end);
    };
    const Case cases[] = {
        {"closes", [](io::Fd& end) { end = io::Fd(); }},
        {"says no more", [](io::Fd& end) { ::shutdown(end.get(), SHUT_WR); }},
        {"speaks unasked", [](io::Fd& end) { EXPECT_EQ(::send(end.get(), "HTTP/1.1 408 ", 13, 0), 13); }},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.what);
        Shelf shelf;
        shelf.run([](Shelf& on, const Case& how) -> io::Task<void> {
            on.put("quiet");
            on.put("loud");
            how.does(on.ends.back());
            co_await on.a_turn();
            EXPECT_EQ(on.take(), "quiet");
            EXPECT_EQ(on.kept.size(), 0U) << "the other is closed";
            EXPECT_EQ(on.target->active(), 0U);
            // Before it is kept, the same.
            TargetConnection connection = on.connection("loud");
            how.does(on.ends.back());
            co_await on.a_turn();
            on.kept.put(std::move(connection));
            EXPECT_EQ(on.kept.size(), 0U);
        }(shelf, c));
    }
}

TEST(KeptConnections, OneWithSomethingLeftToSendIsNotKept) {
    Shelf shelf;
    shelf.run([](Shelf& on) -> io::Task<void> {
        TargetConnection connection = on.connection("blocked");
        EXPECT_EQ(connection.stream.write(as_bytes(std::string(std::size_t{1} << 22U, 'x'))), io::Io::ok);
        EXPECT_TRUE(connection.stream.blocked());
        on.kept.put(std::move(connection));
        EXPECT_EQ(on.kept.size(), 0U);
        co_return;
    }(shelf));
}

TEST(KeptConnections, ThereAreNeverTooMany) {
    Shelf shelf;
    shelf.run([](Shelf& on) -> io::Task<void> {
        for (std::size_t i = 0; i <= KeptConnections::most_of_target; ++i) {
            on.put(std::to_string(i));
            on.ends.clear();
        }
        EXPECT_EQ(on.kept.size(), KeptConnections::most_of_target);
        EXPECT_EQ(on.target->active(), KeptConnections::most_of_target);
        EXPECT_EQ(on.take(), std::to_string(KeptConnections::most_of_target - 1)) << "the one too many was closed";
        co_return;
    }(shelf));
}

TEST(KeptConnections, NorOfManyTargets) {
    std::vector<std::shared_ptr<TargetState>> targets(9);
    for (auto& target : targets) target = std::make_shared<TargetState>();
    Shelf shelf;
    shelf.run([](Shelf& on, const std::vector<std::shared_ptr<TargetState>>& all) -> io::Task<void> {
        static_assert(9 * KeptConnections::most_of_target > KeptConnections::most);
        for (const auto& target : all) {
            for (std::size_t i = 0; i < KeptConnections::most_of_target; ++i) {
                on.kept.put(on.connection("x", false, "", target));
                on.ends.clear();
            }
        }
        EXPECT_EQ(on.kept.size(), KeptConnections::most);
        std::size_t active = 0;
        for (const auto& target : all) active += target->active();
        EXPECT_EQ(active, KeptConnections::most);
        on.kept.clear();
        for (const auto& target : all) EXPECT_EQ(target->active(), 0U);
        co_return;
    }(shelf, targets));
}

TEST(KeptConnections, AreKeptForAMinute) {
    Shelf shelf;
    shelf.run([](Shelf& on) -> io::Task<void> {
        on.put("old");
        co_await on.sleep(30s);
        on.put("younger");
        co_await on.sleep(29s);
        EXPECT_EQ(on.kept.size(), 2U);
        co_await on.sleep(6s + 100ms);  // a minute, and the time between two looks
        EXPECT_EQ(on.kept.size(), 1U);
        EXPECT_TRUE(is_closed(on.ends.front()));
        EXPECT_FALSE(is_closed(on.ends.back()));
        EXPECT_EQ(on.take(), "younger");
    }(shelf));
}

TEST(KeptConnections, ADescriptorThatTheTargetGaveUpIsGivenBackSoon) {
    Shelf shelf;
    shelf.run([](Shelf& on) -> io::Task<void> {
        on.put("a");
        on.put("b");
        on.put("c");
        co_await on.sleep(12s);
        const std::size_t before = open_descriptors();
        ::shutdown(on.ends[1].get(), SHUT_WR);
        co_await on.sleep(KeptConnections::looked_at_every + 100ms);
        EXPECT_EQ(on.kept.size(), 2U);
        EXPECT_EQ(open_descriptors(), before - 1);
        EXPECT_EQ(on.take(), "c");
        EXPECT_EQ(on.take(), "a");
    }(shelf));
}

TEST(KeptConnections, NobodyLooksWhereNothingIsKept) {
    Shelf shelf;
    shelf.loop.run([](Shelf& on) -> io::Task<void> {
        on.put("a");
        co_await on.sleep(1s);
        on.kept.clear();
        co_await on.sleep(10s);
        on.put("b");
        co_await on.sleep(1s);
        EXPECT_EQ(on.take(), "b");
    }(shelf));  // the loop ends by itself: no timer is left
    EXPECT_LT(shelf.loop->turns(), 200U);
    // And begins again when there is something.
    shelf.run([](Shelf& on) -> io::Task<void> {
        on.put("c");
        co_await on.sleep(66s);
        EXPECT_EQ(on.kept.size(), 0U);
    }(shelf));
}

TEST(KeptConnections, ClearingClosesAllAndNewOnesAreKeptAgain) {
    Shelf shelf;
    shelf.run([](Shelf& on) -> io::Task<void> {
        on.put("a");
        on.kept.put(on.connection("b", false, "", on.other));
        on.kept.clear();
        EXPECT_EQ(on.kept.size(), 0U);
        EXPECT_EQ(on.target->active() + on.other->active(), 0U);
        for (const io::Fd& end : on.ends) EXPECT_TRUE(is_closed(end));
        EXPECT_EQ(on.take(), "-");
        on.put("c");
        EXPECT_EQ(on.take(), "c");
        co_return;
    }(shelf));
}

TEST(KeptConnections, OneThatWasMadeBeforeAChangeIsNotKeptAfterIt) {
    Shelf shelf;
    shelf.run([](Shelf& on) -> io::Task<void> {
        TargetConnection busy = on.connection("busy");
        on.kept.clear();
        on.kept.put(std::move(busy));
        EXPECT_EQ(on.kept.size(), 0U);
        EXPECT_TRUE(is_closed(on.ends.front()));
        co_return;
    }(shelf));
}

TEST(KeptConnections, OnceClosedNothingIsKept) {
    Shelf shelf;
    shelf.run([](Shelf& on) -> io::Task<void> {
        on.put("a");
        co_await on.sleep(1s);
        const SteadyTime before = on.loop->now();
        co_await on.kept.close();
        EXPECT_EQ(on.loop->now(), before) << "it waits for nothing";
        EXPECT_TRUE(is_closed(on.ends[0]));
        on.put("b");
        EXPECT_EQ(on.kept.size(), 0U);
        EXPECT_TRUE(is_closed(on.ends[1]));
    }(shelf));
}

// The session that used a connection before has ended; the one that takes it rules it from then on.
TEST(KeptConnections, AConnectionIsRuledByTheSessionThatHasIt) {
    Shelf shelf;
    shelf.run([](Shelf& on) -> io::Task<void> {
        std::optional<TargetConnection> connection;
        {
            io::Cancellation first;
            on.put("a");
            connection = on.kept.take(*on.target, false, "", {}, 1min, first);
            on.kept.put(std::move(*connection));
            first.request();
        }
        io::Cancellation second;
        connection = on.kept.take(*on.target, false, "", {}, 1min, second);
        EXPECT_FALSE(connection->stream.watched().cancelled) << "the first session has no say any more";
        on.kept.clear();
        second.request();
        EXPECT_TRUE(connection->stream.watched().cancelled);
        connection.reset();
        co_return;
    }(shelf));
}

TEST(KeptConnections, ASessionThatHasBeenToldToEndWaitsForNoTarget) {
    Shelf shelf;
    shelf.run([](Shelf& on) -> io::Task<void> {
        on.put("a");
        io::Cancellation ended;
        ended.request();
        auto connection = on.kept.take(*on.target, false, "", {}, 1min, ended);
        if (!connection) co_return;
        std::byte room[1];
        const io::Got got = co_await connection->stream.read_some(room, on.loop->in(1h));
        EXPECT_EQ(got.io, io::Io::again);
        EXPECT_TRUE(connection->stream.watched().cancelled) << "its first await answers: cancelled";
    }(shelf));
}

// The state of a target may be gone, and another be made at its place, while its name stands in no list.
TEST(KeptConnections, AStateLivesAsLongAsItsConnections) {
    Shelf shelf;
    shelf.run([](Shelf& on) -> io::Task<void> {
        std::weak_ptr<TargetState> gone;
        {
            auto state = std::make_shared<TargetState>();
            gone = state;
            on.kept.put(on.connection("a", false, "", std::move(state)));
        }
        EXPECT_FALSE(gone.expired());
        co_await on.sleep(66s);
        EXPECT_TRUE(gone.expired());
        for (int i = 0; i < 100; ++i) {
            const auto state = std::make_shared<TargetState>();
            EXPECT_FALSE(on.kept.take(*state, false, "", {}, 1min, on.session));
        }
    }(shelf));
}
