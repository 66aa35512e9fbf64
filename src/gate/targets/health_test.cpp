#include "gate/targets/health.hpp"

#include "gate/testing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <string>
#include <vector>

using namespace sallyport;
using namespace sallyport::gate;
using namespace std::chrono_literals;
using gate::testing::ScriptedTargets;
using gate::testing::snapshot_of;
using telemetry::Reason;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

namespace {

using Seconds = std::chrono::duration<double>;

// A service with these targets and further keys.
std::string service(std::string_view targets, std::string_view rest = "", std::string_view name = "a.example.com") {
    return "[[service]]\nname = \"" + std::string(name) + "\"\nprotocol = \"http\"\ntarget = [" + std::string(targets) +
           "]\nplain_port = 80\n" + std::string(rest) + "\n";
}

// The checks on a loop of virtual time, and what they tell.
struct Ward {
    ScriptedTargets targets;
    io::testing::VirtualLoop loop{ScriptedTargets::calls()};
    StateBook book;
    std::shared_ptr<const net::NameTable> names;
    std::vector<TargetEvent> events;
    std::optional<Health> health;
    SnapshotHandle snapshot;
    SteadyTime start = loop->now();
    io::Cancellation never;

    Ward() { targets.loop = &*loop; }

    void watch(std::string_view text) {
        snapshot = snapshot_of(book, text);
        health->watch(snapshot);
    }
    TargetState& state(std::size_t target = 0) const { return *snapshot->routing->services()[0].targets[target]; }
    void fail(std::size_t target = 0) const { state(target).not_connected(Reason::target_refused, loop_wall()); }
    WallTime loop_wall() const { return const_cast<Ward&>(*this).loop->wall(); }

    auto sleep(Duration duration) { return io::Sleep(*loop, never, loop->in(duration)); }

    /// Watches the services of `text` while `script` runs, then closes.
    void run(std::string_view text, io::Task<void> script) {
        loop.run([](Ward& self, std::string_view services, io::Task<void> what) -> io::Task<void> {
            self.health.emplace(
                *self.loop,
                Health::Options{.names = [&self] { return self.names; },
                                .event = [&self](const TargetEvent& event) { self.events.push_back(event); }});
            self.watch(services);
            co_await what;
            co_await self.health->close();
            self.health.reset();
            self.snapshot.reset();
        }(*this, text, std::move(script)));
    }

    /// When targets were tried, in seconds from the start, as far as this knows: to a quarter.
    std::vector<double> tries() const {
        std::vector<double> out;
        for (const auto& one : targets.dialed) out.push_back(quarters(one.when - start));
        return out;
    }
    static double quarters(Duration duration) { return std::floor(Seconds(duration).count() * 4 + 0.01) / 4; }

    std::vector<std::string> told() const {
        std::vector<std::string> out;
        for (const TargetEvent& event : events)
            out.push_back(event.target + ' ' + std::string(name(event.condition)) +
                          (event.why == Reason::ok ? "" : ' ' + std::string(code(event.why))));
        return out;
    }
};

io::Task<void> waits(Ward& ward, Duration duration) { co_await ward.sleep(duration); }

io::Task<void> fails_after(Ward& ward, Duration first, Duration then) {
    co_await ward.sleep(first);
    ward.fail();
    co_await ward.sleep(then);
}

constexpr std::string_view one = "\"10.0.0.1\"";

}  // namespace

TEST(Health, WithoutACheckATargetThatIsUpIsLeftAlone) {
    Ward ward;
    ward.run(service(one), waits(ward, 5min));
    EXPECT_THAT(ward.tries(), ElementsAre());
    EXPECT_THAT(ward.told(), ElementsAre());
}

TEST(Health, WithoutACheckOneThatFailsIsAskedOftenAtFirst) {
    Ward ward;
    ward.targets.behaves["10.0.0.1:80"] = ScriptedTargets::refuses;
    ward.run(service(one), fails_after(ward, 10100ms, 24s));
    // Seen at the next look; then after 1 s, 2 s, 4 s and every 5 s, each from one look to another.
    EXPECT_THAT(ward.tries(), ElementsAre(11.25, 13.25, 17.25, 22.25, 27.25, 32.25));
    EXPECT_THAT(ward.told(), ElementsAre("10.0.0.1 failing target.refused"))
        << "without a check nothing is down, and a change is told once";
}

TEST(Health, OneGoodAnswerMakesAFailingTargetUp) {
    for (const char* check : {"", "health = \"tcp\""}) {
        SCOPED_TRACE(check);
        Ward ward;
        ward.run(service(one, check), [](Ward& on) -> io::Task<void> {
            co_await on.sleep(1s);
            on.fail();
            co_await on.sleep(500ms);
            EXPECT_EQ(on.state().condition(), Condition::failing);
            const std::size_t before = on.targets.dialed.size();
            co_await on.sleep(2s);
            EXPECT_EQ(on.targets.dialed.size(), before + 1);
            EXPECT_EQ(on.state().condition(), Condition::up);
            EXPECT_EQ(on.state().why(), Reason::ok);
            EXPECT_NEAR(Seconds(on.loop->wall() - on.state().since()).count(), 1.25, 0.3);
        }(ward));
        EXPECT_THAT(ward.told(), ElementsAre("10.0.0.1 failing target.refused", "10.0.0.1 up"));
    }
}

TEST(Health, ACheckIsMadeOnceAnInterval) {
    struct Case {
        const char* settings;
        std::vector<double> tries;
    };
    const Case cases[] = {
        {"health = \"tcp\"", {0.25, 5.25, 10.25, 15.25}},
        {"health = \"tcp\"\nhealth_interval = \"1s\"",
         {0.25, 1.25, 2.25, 3.25, 4.25, 5.25, 6.25, 7.25, 8.25, 9.25, 10.25, 11.25, 12.25, 13.25, 14.25, 15.25, 16.25}},
        {"health = \"tcp\"\nhealth_interval = \"1m\"", {0.25}},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.settings);
        Ward ward;
        ward.run(service(one, c.settings), waits(ward, 17s));
        EXPECT_THAT(ward.tries(), ElementsAreArray(c.tries));
        EXPECT_THAT(ward.told(), ElementsAre());
    }
}

// A letter a try: g for one that goes well, b for one that does not. After each: u, f or d.
TEST(Health, GoesByTriesInARow) {
    struct Case {
        bool failing;  // traffic's word, before the first
        const char* tries;
        const char* conditions;
    };
    const Case cases[] = {
        {false, "g", "u"},
        {false, "b", "u"},
        {false, "bb", "ud"},
        {false, "bgb", "uuu"},
        {false, "bgbb", "uuud"},
        {false, "ggbb", "uuud"},
        {false, "bbb", "udd"},
        {false, "bbg", "udd"},
        {false, "bbgg", "uddu"},
        {false, "bbgbg", "udddd"},
        {false, "bbgbgg", "uddddu"},
        {false, "bbggb", "udduu"},
        {false, "bbggbb", "udduud"},
        {true, "g", "u"},
        {true, "b", "f"},
        {true, "bg", "fu"},
        {true, "bb", "fd"},
        {true, "bbg", "fdd"},
        {true, "bbgg", "fddu"},
        {true, "gbb", "uud"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(std::string(c.tries) + (c.failing ? ", failing" : ""));
        Ward ward;
        std::string left = c.tries;
        ward.targets.chooses = [&left] {
            const char now = left.empty() ? 'g' : left.front();
            left.erase(0, 1);
            return now == 'g' ? ScriptedTargets::answers : ScriptedTargets::refuses;
        };
        std::string conditions;
        ward.run(service(one, "health = \"tcp\"\nhealth_interval = \"1s\""),
                 [](Ward& on, const Case& how, std::string& seen) -> io::Task<void> {
                     if (how.failing) on.fail();
                     while (seen.size() < std::string_view(how.tries).size()) {
                         const std::size_t before = on.targets.dialed.size();
                         while (on.targets.dialed.size() == before) co_await on.sleep(10ms);
                         co_await on.sleep(10ms);
                         seen += name(on.state().condition()).front();
                     }
                 }(ward, c, conditions));
        EXPECT_EQ(conditions, c.conditions);
    }
}

// From its failing to the next try.
TEST(Health, ATargetThatFlapsIsLeftAloneForLongerEachTime) {
    Ward ward;
    std::vector<double> holds;
    ward.run(service(one), [](Ward& on, std::vector<double>& seen) -> io::Task<void> {
        for (const Duration up_for : {120s, 3s, 58s, 3s, 3s, 3s, 3s, 3s, 63s, 3s}) {
            co_await on.sleep(up_for);
            on.fail();
            const SteadyTime failed = on.loop->now();
            const std::size_t before = on.targets.dialed.size();
            while (on.targets.dialed.size() == before) co_await on.sleep(10ms);
            seen.push_back(std::floor(Seconds(on.targets.dialed.back().when - failed).count()));
        }
    }(ward, holds));
    EXPECT_THAT(holds, ElementsAre(1, 2, 4, 8, 16, 32, 60, 60, 1, 2));
}

TEST(Health, AnAdminsWishDecidesWhetherItIsTried) {
    struct Case {
        Wish wish;
        bool failing;
        const char* check;
        bool tried;
    };
    const Case cases[] = {
        {Wish::up, false, "health = \"tcp\"", true},
        {Wish::drain, false, "health = \"tcp\"", true},
        {Wish::drain, true, "", true},
        {Wish::maintenance, false, "health = \"tcp\"", false},
        {Wish::maintenance, true, "", false},
        {Wish::maintenance, true, "health = \"tcp\"", false},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(std::string(name(c.wish)) + ' ' + c.check);
        Ward ward;
        ward.run(service(one, c.check), [](Ward& on, const Case& how) -> io::Task<void> {
            on.state().wish(how.wish);
            if (how.failing) on.fail();
            co_await on.sleep(20s);
            EXPECT_EQ(!on.targets.dialed.empty(), how.tried);
            on.targets.dialed.clear();
            on.state().wish(Wish::up);
            if (!how.tried) co_await on.sleep(1s);
            EXPECT_EQ(on.targets.dialed.empty(), how.tried) << "back from maintenance it is tried at the next look";
        }(ward, c));
    }
}

namespace {

// 16 services of 64 targets, all checked.
std::string many_services(std::size_t services, std::string_view rest) {
    std::string text;
    for (std::size_t i = 0; i < services; ++i) {
        std::string targets;
        for (std::size_t j = 1; j <= 64; ++j) {
            targets += (j == 1 ? "\"10.0." : ", \"10.0.") + std::to_string(i) + '.' + std::to_string(j) + '"';
        }
        text += service(targets, rest, "s" + std::to_string(i) + ".example.com");
    }
    return text;
}

}  // namespace

// Targets that answer nothing hold their try for the whole connect_timeout; so do all, here.
TEST(Health, TriesAFewAtATimeAndEachOfManyInItsTurn) {
    Ward ward;
    ward.targets.chooses = [] { return ScriptedTargets::silent; };
    const std::size_t descriptors = io::testing::open_descriptors();
    std::size_t most = 0;
    ward.run(many_services(16, "health = \"tcp\""),
             [](Ward& on, std::size_t before, std::size_t& seen) -> io::Task<void> {
                 const SteadyTime end = on.loop->now() + 100s;
                 while (on.loop->now() < end) {
                     co_await on.sleep(100ms);
                     seen = std::max(seen, io::testing::open_descriptors() - before);
                 }
             }(ward, descriptors, most));
    EXPECT_EQ(most, Health::most_tries_at_once);
    std::set<std::string> tried;
    for (const auto& one_try : ward.targets.dialed) tried.insert(one_try.address);
    EXPECT_EQ(tried.size(), 1024U) << "16 rounds of 5 seconds reach everyone";
}

TEST(Health, ManyThatAnswerAreAllTriedInOneInterval) {
    Ward ward;
    ward.run(many_services(16, "health = \"tcp\""), waits(ward, 5s));
    EXPECT_EQ(ward.targets.dialed.size(), 1024U);
    std::set<std::string> tried;
    for (const auto& one_try : ward.targets.dialed) tried.insert(one_try.address);
    EXPECT_EQ(tried.size(), 1024U);
}

TEST(Health, AReloadKeepsWhatIsKnown) {
    Ward ward;
    ward.targets.behaves["10.0.0.1:80"] = ScriptedTargets::refuses;
    const std::string text = service("\"10.0.0.1\", \"10.0.0.2\"", "health = \"tcp\"");
    ward.run(text, [](Ward& on, std::string_view again) -> io::Task<void> {
        co_await on.sleep(500ms);
        EXPECT_EQ(on.targets.count("10.0.0.1:80"), 1U);
        on.watch(again);
        co_await on.sleep(4s);
        EXPECT_EQ(on.targets.dialed.size(), 2U) << "nothing is due before its time";
        co_await on.sleep(1500ms);
        EXPECT_EQ(on.state().condition(), Condition::down) << "the failure before the reload counts";
        on.watch(again);
        co_await on.sleep(4s);
        EXPECT_EQ(on.events.size(), 1U) << "nothing is told twice";
        EXPECT_EQ(on.state(1).condition(), Condition::up);
    }(ward, text));
    EXPECT_THAT(ward.told(), ElementsAre("10.0.0.1 down target.refused"));
}

TEST(Health, AReloadBringsNewTargetsAndForgetsOldOnes) {
    Ward ward;
    ward.run(service(one, "health = \"tcp\""), [](Ward& on) -> io::Task<void> {
        co_await on.sleep(1s);
        std::weak_ptr<const LoopSnapshot> old = on.snapshot;
        on.watch(service("\"10.0.0.2\"", "health = \"tcp\""));
        EXPECT_TRUE(old.expired());
        on.targets.dialed.clear();
        co_await on.sleep(7s);
        EXPECT_THAT(on.targets.addresses(), ElementsAre("10.0.0.2:80", "10.0.0.2:80"));
    }(ward));
}

TEST(Health, ATryThatAReloadOvertakesSaysNothing) {
    struct Case {
        const char* what;
        std::string after;
        std::size_t tried_again;
    };
    const Case cases[] = {
        {"the same", service(one, "health = \"tcp\"\nconnect_timeout = \"2s\""), 1},
        {"the target is gone", service("\"10.0.0.2\"", "health = \"tcp\""), 0},
        {"the check is gone", service(one), 0},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.what);
        Ward ward;
        ward.targets.behaves["10.0.0.1:80"] = ScriptedTargets::silent;
        ward.run(service(one, "health = \"tcp\"\nconnect_timeout = \"4s\"\nhealth_interval = \"10s\""),
                 [](Ward& on, const Case& how) -> io::Task<void> {
                     const auto state = on.snapshot->routing->services()[0].targets[0];
                     state->connected(7ns);
                     co_await on.sleep(1s);
                     EXPECT_EQ(on.targets.count("10.0.0.1:80"), 1U);
                     std::weak_ptr<const LoopSnapshot> old = on.snapshot;
                     on.watch(how.after);
                     EXPECT_FALSE(old.expired()) << "the try goes by it";
                     on.targets.dialed.clear();
                     co_await on.sleep(4s);  // both tries end in here
                     EXPECT_TRUE(old.expired());
                     EXPECT_EQ(on.targets.count("10.0.0.1:80"), how.tried_again);
                     EXPECT_EQ(state->condition(), Condition::up) << "one failure is not two";
                     EXPECT_EQ(state->latency(), 7ns);
                 }(ward, c));
        EXPECT_THAT(ward.told(), ElementsAre());
    }
}

TEST(Health, EndsInTheMiddleOfItsTries) {
    for (const Duration after : {0ms, 100ms, 250ms, 260ms, 1000ms}) {
        Ward ward;
        ward.targets.chooses = [] { return ScriptedTargets::silent; };
        ward.run(many_services(2, "health = \"tcp\"\nconnect_timeout = \"1m\""), waits(ward, after));
        EXPECT_LT(ward.loop->now() - ward.start, after + 50ms);
        EXPECT_THAT(ward.told(), ElementsAre());
    }
}

TEST(Health, TellsWhatStandsOtherwise) {
    Ward ward;
    ward.targets.behaves["10.0.0.2:80"] = ScriptedTargets::refuses;
    ward.run(service("\"10.0.0.1\", \"10.0.0.2\"", "health = \"tcp\"\nhealth_interval = \"1s\""),
             [](Ward& on) -> io::Task<void> {
                 co_await on.sleep(3s);
                 on.targets.behaves.clear();
                 co_await on.sleep(5s);
             }(ward));
    ASSERT_EQ(ward.events.size(), 2U);
    const TargetEvent& down = ward.events[0];
    EXPECT_EQ(down.service, "a.example.com");
    EXPECT_EQ(down.target, "10.0.0.2");
    EXPECT_EQ(down.condition, Condition::down);
    EXPECT_EQ(down.why, Reason::target_refused);
    EXPECT_EQ(down.detail, "port 80: Connection refused");
    const TargetEvent& up = ward.events[1];
    EXPECT_EQ(up.target, "10.0.0.2");
    EXPECT_EQ(up.condition, Condition::up);
    EXPECT_EQ(up.why, Reason::ok);
    EXPECT_EQ(up.detail, "");
}

TEST(Health, LeavesWhatIsBuiltInAlone) {
    Ward ward;
    ward.run("[[service]]\nname = \"a.example.com\"\nprotocol = \"http\"\ntarget = [\"builtin:welcome\"]\n" +
                 service(one, "health = \"tcp\"", "b.example.com"),
             waits(ward, 1s));
    EXPECT_THAT(ward.targets.addresses(), ElementsAre("10.0.0.1:80"));
}

TEST(Health, AsksForTheNamesOfTheMoment) {
    Ward ward;
    ward.run(service("\"pbx.example.com\"", "health = \"tcp\"\nhealth_interval = \"1s\""),
             [](Ward& on) -> io::Task<void> {
                 co_await on.sleep(3s);
                 EXPECT_EQ(on.state().condition(), Condition::down);
                 EXPECT_EQ(on.state().why(), Reason::target_unresolved);
                 on.names = std::make_shared<net::NameTable>(
                     net::NameTable{{{"pbx.example.com", {*IpAddress::parse("10.0.0.7")}}}});
                 co_await on.sleep(3s);
                 EXPECT_EQ(on.state().condition(), Condition::up);
             }(ward));
    ASSERT_FALSE(ward.targets.dialed.empty());
    for (const auto& one_try : ward.targets.dialed) EXPECT_EQ(one_try.address, "10.0.0.7:80");
}

// A target that was down by a check which the file no longer has must come back by itself.
TEST(Health, ATargetThatIsDownComesBackWithoutItsCheck) {
    Ward ward;
    ward.targets.behaves["10.0.0.1:80"] = ScriptedTargets::refuses;
    ward.run(service(one, "health = \"tcp\"\nhealth_interval = \"1s\""), [](Ward& on) -> io::Task<void> {
        co_await on.sleep(4s);
        EXPECT_EQ(on.state().condition(), Condition::down);
        on.watch(service(one));
        on.targets.behaves.clear();
        co_await on.sleep(5s);
        EXPECT_EQ(on.state().condition(), Condition::up);
    }(ward));
    EXPECT_THAT(ward.told(), ElementsAre("10.0.0.1 down target.refused", "10.0.0.1 up"));
}
