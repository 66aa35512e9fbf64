// Many targets at once, reloads, and the end of the checks.
#include "gate/targets/health_testing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

using namespace sallyport;
using namespace sallyport::gate;
using namespace sallyport::gate::testing;
using namespace std::chrono_literals;
using telemetry::Reason;
using ::testing::ElementsAre;

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

// Its second failure in a row, by a check that the file no longer has.
TEST(Health, ATryThatAReloadOvertakesTakesNothingDown) {
    Ward ward;
    ward.targets.behaves["10.0.0.1:80"] = ScriptedTargets::refuses;
    ward.run(service(one, "health = \"tcp\""), [](Ward& on) -> io::Task<void> {
        co_await on.sleep(1s);
        on.targets.behaves["10.0.0.1:80"] = ScriptedTargets::silent;
        co_await on.sleep(5s);
        EXPECT_EQ(on.targets.dialed.size(), 2U);
        on.watch(service(one));
        co_await on.sleep(10s);
        EXPECT_EQ(on.state().condition(), Condition::up);
    }(ward));
    EXPECT_THAT(ward.told(), ElementsAre());
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
