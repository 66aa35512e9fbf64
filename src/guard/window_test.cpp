#include "guard/window.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

using namespace sallyport;
using namespace sallyport::guard;
using namespace std::chrono_literals;

namespace {

ClientKey client(std::uint32_t number) { return ClientKey(IpAddress::v4(0xC0000200 + number)); }

Suspicion sign_at(Duration when, Sign sign = Sign::refused, std::uint64_t credential = 0) {
    return {.client = {}, .sign = sign, .credential = credential, .time = SteadyTime{when}};
}

TEST(Window, SlidesByEachSignAndNotByTheMinute) {
    Window window(100);
    EXPECT_EQ(window.add(client(1), sign_at(30s)).points, 4U);
    EXPECT_EQ(window.add(client(1), sign_at(89s)).points, 8U);
    EXPECT_EQ(window.add(client(1), sign_at(90s)).points, 8U);  // the first is a minute old
    EXPECT_EQ(window.add(client(2), sign_at(90s)).points, 4U);
    window.expire(SteadyTime{150s});
    EXPECT_EQ(window.clients(), 0U);
}

TEST(Window, TheSameCredentialCountsOnce) {
    Window window(100);
    EXPECT_EQ(window.add(client(1), sign_at(0s, Sign::wrong_credentials, 7)).points, 4U);
    EXPECT_EQ(window.add(client(1), sign_at(59s, Sign::wrong_credentials, 7)).points, 4U);
    EXPECT_EQ(window.add(client(1), sign_at(59s, Sign::wrong_credentials, 9)).points, 8U);
    EXPECT_EQ(window.add(client(2), sign_at(59s, Sign::wrong_credentials, 7)).points, 4U) << "another client's";
    EXPECT_EQ(window.add(client(1), sign_at(60s, Sign::wrong_credentials, 7)).points, 8U) << "the first has left";
}

TEST(Window, WithoutACredentialEachTimeCounts) {
    Window window(100);
    window.add(client(1), sign_at(0s, Sign::wrong_credentials));
    EXPECT_EQ(window.add(client(1), sign_at(0s, Sign::wrong_credentials)).points, 8U);
}

TEST(Window, ADoubtfulSignCountsAQuarter) {
    Window window(100);
    for (int i = 0; i < 4; ++i) window.add(client(1), sign_at(0s, Sign::doubtful));
    EXPECT_EQ(window.top(1).front().count.points, points_of_one);
}

TEST(Window, AFloodOfClientsForgetsTheOldestSigns) {
    Window window(1000);
    window.add(client(1), sign_at(0s));
    for (std::uint32_t i = 0; i < 5000; ++i) window.add(client(1000 + i), sign_at(1s));
    EXPECT_EQ(window.clients(), 1000U);
    EXPECT_EQ(window.add(client(1), sign_at(2s)).points, 4U);
}

TEST(Window, AClockThatStepsBackChangesNothing) {
    Window window(100);
    window.add(client(1), sign_at(100s));
    EXPECT_EQ(window.add(client(1), sign_at(10s)).points, 8U);
    window.expire(SteadyTime{0s});
    EXPECT_EQ(window.add(client(1), sign_at(159s)).points, 12U);
}

TEST(Window, TheWorstComeFirst) {
    Window window(100);
    for (std::uint32_t who = 1; who <= 12; ++who) {
        for (std::uint32_t i = 0; i < who; ++i) window.add(client(who), sign_at(0s));
    }
    const auto top = window.top(10);
    ASSERT_EQ(top.size(), 10U);
    EXPECT_EQ(top.front().client, client(12));
    EXPECT_EQ(top.back().client, client(3));
}

// Every sign is kept and looked at anew each time: slow, and hard to get wrong.
class Model {
public:
    unsigned add(ClientKey who, const Suspicion& sign) {
        const bool known =
            sign.credential != 0 && std::ranges::any_of(signs_, [&](const auto& one) {
                return one.who == who && one.sign.credential == sign.credential && in_window(one.sign, sign.time);
            });
        if (!known) signs_.push_back({who, sign, true});
        unsigned sum = 0;
        for (const auto& one : signs_) {
            if (one.counts && one.who == who && in_window(one.sign, sign.time)) sum += points(one.sign.sign);
        }
        return sum;
    }
    void forget(ClientKey who) {
        for (auto& one : signs_) one.counts = one.counts && one.who != who;
    }

private:
    struct Kept {
        ClientKey who;
        Suspicion sign;
        bool counts;
    };
    static bool in_window(const Suspicion& sign, SteadyTime now) { return now - sign.time < 60s; }
    std::vector<Kept> signs_;
};

TEST(Window, AgreesWithASimpleModel) {
    for (unsigned seed = 0; seed < 20; ++seed) {
        std::mt19937 random(seed);
        const auto below = [&random](unsigned most) { return static_cast<unsigned>(random() % most); };
        Window window(10'000);
        Model model;
        SteadyTime now{};
        for (int step = 0; step < 600; ++step) {
            now += std::chrono::milliseconds(below(3) == 0 ? below(20'000) : below(500));
            const ClientKey who = client(below(4));
            if (below(20) == 0) {
                window.forget(who);
                model.forget(who);
            }
            const Suspicion sign{.client = {},
                                 .sign = static_cast<Sign>(below(5)),
                                 .credential = below(2) == 0 ? 0 : 1 + below(5),
                                 .time = now};
            ASSERT_EQ(window.add(who, sign).points, model.add(who, sign)) << "seed " << seed << ", step " << step;
        }
    }
}

}  // namespace
