#include "gate/targets/health_testing.hpp"

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
using namespace sallyport::gate::testing;
using telemetry::Reason;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

namespace {

io::Task<void> fails_after(Ward& ward, Duration first, Duration then) {
    co_await ward.sleep(first);
    ward.fail();
    co_await ward.sleep(then);
}

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
