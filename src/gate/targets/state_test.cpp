#include "gate/targets/state.hpp"

#include "gate/testing.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

using namespace sallyport;
using namespace sallyport::gate;
using namespace std::chrono_literals;
using gate::testing::snapshot_of;
using telemetry::Reason;

namespace {

constexpr WallTime noon{43200s};

// A letter a step. Of traffic: c can't connect, a answered, b broke its answer. Of the checks: u, f, d.
void take_steps(TargetState& state, std::string_view steps) {
    WallTime now = noon;
    for (const char step : steps) {
        now += 1s;
        switch (step) {
            case 'c': state.not_connected(Reason::target_refused, now); break;
            case 'a': state.answered(); break;
            case 'b': state.broke_its_answer(Reason::target_closed, now); break;
            case 'u': state.set(Condition::up, Reason::ok, now); break;
            case 'f': state.set(Condition::failing, Reason::target_timeout, now); break;
            case 'd': state.set(Condition::down, Reason::target_timeout, now); break;
            default: FAIL() << step;
        }
    }
}

}  // namespace

TEST(TargetState, GoesByTrafficAndChecks) {
    struct Case {
        const char* steps;
        Condition condition;
        Reason why;
        int changed_at;  // the number of the step
    };
    const Case cases[] = {
        {"", Condition::up, Reason::ok, 0},
        {"c", Condition::failing, Reason::target_refused, 1},
        {"cc", Condition::failing, Reason::target_refused, 1},
        {"ca", Condition::failing, Reason::target_refused, 1},  // a probe says when it is over
        {"b", Condition::up, Reason::ok, 0},
        {"bb", Condition::up, Reason::ok, 0},
        {"bbb", Condition::failing, Reason::target_closed, 3},
        {"bbabb", Condition::up, Reason::ok, 0},  // in a row
        {"bbabbb", Condition::failing, Reason::target_closed, 6},
        {"bbbub", Condition::up, Reason::ok, 4},
        {"bbbubbb", Condition::failing, Reason::target_closed, 7},
        {"cbbubb", Condition::up, Reason::ok, 4},
        {"d", Condition::down, Reason::target_timeout, 1},
        {"dc", Condition::down, Reason::target_timeout, 1},  // traffic can't make it better
        {"dbbbb", Condition::down, Reason::target_timeout, 1},
        {"cd", Condition::down, Reason::target_timeout, 2},
        {"du", Condition::up, Reason::ok, 2},
        {"fc", Condition::failing, Reason::target_timeout, 1},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.steps);
        TargetState state;
        take_steps(state, c.steps);
        EXPECT_EQ(name(state.condition()), name(c.condition));
        EXPECT_EQ(code(state.why()), code(c.why));
        EXPECT_EQ(state.since(), c.changed_at == 0 ? WallTime{} : noon + c.changed_at * 1s);
        EXPECT_EQ(state.wish(), Wish::up) << "only an admin decides that";
        EXPECT_EQ(state.latency(), 0ns);
    }
}

TEST(TargetState, RemembersTheLastLatencyAndTheWish) {
    TargetState state;
    state.connected(3ms);
    state.connected(2ms);
    EXPECT_EQ(state.latency(), 2ms);
    state.wish(Wish::drain);
    take_steps(state, "cdu");
    EXPECT_EQ(state.wish(), Wish::drain);
    EXPECT_EQ(state.latency(), 2ms);
}

namespace {

struct Places {
    std::shared_ptr<TargetState> target = std::make_shared<TargetState>();
    std::shared_ptr<ServiceState> service = std::make_shared<ServiceState>();

    std::optional<Lease> take(std::uint32_t most = 10) const { return Lease::take(target, service, most); }
    void expect(std::uint32_t active, const char* when) const {
        EXPECT_EQ(target->active(), active) << when;
        EXPECT_EQ(service->active, active) << when;
    }
};

}  // namespace

TEST(Lease, HoldsOnePlaceWhereverItMoves) {
    const Places here;
    const Places there;
    {
        auto lease = here.take();
        here.expect(1, "taken");
        EXPECT_EQ(lease->target(), here.target.get());
        Lease moved = std::move(*lease);
        here.expect(1, "moved");
        EXPECT_EQ(lease->target(), nullptr);
        lease.reset();
        here.expect(1, "what it moved from is gone");

        Lease& itself = moved;
        moved = std::move(itself);
        here.expect(1, "moved to itself");
        EXPECT_EQ(moved.target(), here.target.get());

        Lease other = *there.take();
        other = std::move(moved);
        here.expect(1, "moved onto another");
        there.expect(0, "the other's place is free");
        other = Lease();
        here.expect(0, "nothing was moved onto it");
        other = *there.take();
        there.expect(1, "taken again");
    }
    here.expect(0, "at the end");
    there.expect(0, "at the end");
    EXPECT_EQ(here.target.use_count(), 1);
    EXPECT_EQ(here.service.use_count(), 1);
    EXPECT_EQ(Lease().target(), nullptr);
}

TEST(Lease, IsNotGivenBeyondTheLimit) {
    const Places places;
    std::vector<Lease> held;
    for (std::uint32_t i = 0; i < 3; ++i) held.push_back(*places.take(3));
    EXPECT_FALSE(places.take(3));
    EXPECT_FALSE(places.take(2)) << "a reload that lowers the limit";
    places.expect(3, "a refusal counts nothing");
    EXPECT_TRUE(places.take(4));
    held.pop_back();
    EXPECT_TRUE(places.take(3));
    held.clear();
    places.expect(0, "at the end");
}

TEST(Lease, WithoutALimitCountsForTheTargetAlone) {
    const Places places;
    std::vector<Lease> held;
    for (int i = 0; i < 100; ++i) held.push_back(*places.take(0));
    EXPECT_EQ(places.target->active(), 100U);
    EXPECT_EQ(places.service->active, 0U);
    EXPECT_TRUE(Lease::take(places.target, nullptr, 0)) << "then there need be no service";
    held.clear();
    places.expect(0, "at the end");
}

TEST(Lease, OfManyThreadsNeverExceedTheLimit) {
    constexpr std::uint32_t most = 3;
    const Places places;
    std::atomic<int> holding{0};
    std::atomic<bool> exceeded{false};
    std::atomic<int> taken{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int round = 0; round < 5000; ++round) {
                const auto first = places.take(most);
                if (first && holding.fetch_add(1) >= static_cast<int>(most)) exceeded = true;
                const auto second = places.take(most);
                if (second && holding.fetch_add(1) >= static_cast<int>(most)) exceeded = true;
                if (first) ++taken;
                holding -= (first ? 1 : 0) + (second ? 1 : 0);
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_FALSE(exceeded);
    EXPECT_GT(taken, 0);
    places.expect(0, "at the end");
}

namespace {

std::string service_text(std::string_view name, std::string_view targets, std::string_view rest) {
    return "[[service]]\nname = " + std::string(name) + "\ntarget = " + std::string(targets) + '\n' +
           std::string(rest) + '\n';
}

}  // namespace

TEST(StateBook, KnowsATargetByItsServiceAddressAndPorts) {
    const std::string here = service_text("\"a.example.com\"", "[\"10.0.0.1\", \"10.0.0.2\"]",
                                          "protocol = \"http\"\nplain_port = 80\ntls_port = 443");
    struct Case {
        const char* what;
        std::string text;
        bool first_is_same;
        bool service_is_same;
    };
    const Case cases[] = {
        {"nothing changed", here, true, true},
        {"other settings",
         service_text("\"a.example.com\"", "[\"10.0.0.1\", \"10.0.0.3\"]",
                      "protocol = \"http\"\nplain_port = 80\ntls_port = 443\nhealth = \"tcp\"\nmax_connections = 5"),
         true, true},
        {"another name beside",
         service_text("[\"a.example.com\", \"b.example.com\"]", "[\"10.0.0.1\"]",
                      "protocol = \"http\"\nplain_port = 80\ntls_port = 443"),
         true, true},
        {"another port",
         service_text("\"a.example.com\"", "[\"10.0.0.1\"]", "protocol = \"http\"\nplain_port = 81\ntls_port = 443"),
         false, true},
        {"one port less", service_text("\"a.example.com\"", "[\"10.0.0.1\"]", "protocol = \"http\"\nplain_port = 80"),
         false, true},
        {"the ports exchanged",
         service_text("\"a.example.com\"", "[\"10.0.0.1\"]", "protocol = \"http\"\nplain_port = 443\ntls_port = 80"),
         false, true},
        {"another name",
         service_text("\"b.example.com\"", "[\"10.0.0.1\"]", "protocol = \"http\"\nplain_port = 80\ntls_port = 443"),
         false, false},
        {"another protocol", service_text("\"a.example.com\"", "[\"10.0.0.1\"]", "protocol = \"tls\"\ntls_port = 443"),
         false, false},
        {"another target first",
         service_text("\"a.example.com\"", "[\"10.0.0.2\", \"10.0.0.1\"]",
                      "protocol = \"http\"\nplain_port = 80\ntls_port = 443"),
         false, true},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.what);
        StateBook book;
        const SnapshotHandle before = snapshot_of(book, here);
        const SnapshotHandle after = snapshot_of(book, c.text);
        const Service& old = before->routing->services()[0];
        const Service& now = after->routing->services()[0];
        EXPECT_EQ(old.targets[0] == now.targets[0], c.first_is_same);
        EXPECT_EQ(old.state == now.state, c.service_is_same);
        EXPECT_NE(old.targets[0], old.targets[1]);
    }
}

TEST(StateBook, FindsAStateOfAnotherPlaceInTheFile) {
    StateBook book;
    const std::string ports = "protocol = \"http\"\nplain_port = 80";
    const SnapshotHandle before = snapshot_of(book, service_text("\"a.example.com\"", "[\"10.0.0.1\"]", ports) +
                                                        service_text("\"b.example.com\"", "[\"10.0.0.1\"]", ports));
    const SnapshotHandle after = snapshot_of(book, service_text("\"b.example.com\"", "[\"10.0.0.1\"]", ports) +
                                                       service_text("\"a.example.com\"", "[\"10.0.0.1\"]", ports));
    EXPECT_NE(before->routing->services()[0].targets[0], before->routing->services()[1].targets[0])
        << "one machine behind two services stands for each by itself";
    EXPECT_EQ(before->routing->services()[0].targets[0], after->routing->services()[1].targets[0]);
    EXPECT_EQ(before->routing->services()[1].targets[0], after->routing->services()[0].targets[0]);
}

TEST(StateBook, ForgetsWhatNobodyHolds) {
    StateBook book;
    const std::string text =
        service_text("\"a.example.com\"", "[\"10.0.0.1\"]", "protocol = \"http\"\nplain_port = 80");
    {
        const SnapshotHandle first = snapshot_of(book, text);
        first->routing->services()[0].targets[0]->wish(Wish::drain);
        const SnapshotHandle second = snapshot_of(book, text);
        EXPECT_EQ(second->routing->services()[0].targets[0]->wish(), Wish::drain) << "kept over a reload";
    }
    const SnapshotHandle later = snapshot_of(book, text);
    EXPECT_EQ(later->routing->services()[0].targets[0]->wish(), Wish::up);

    // A connection that outlives its configuration keeps the state: it still counts there.
    std::optional<Lease> lease = Lease::take(later->routing->services()[0].targets[0], nullptr, 0);
    const std::shared_ptr<TargetState> known = later->routing->services()[0].targets[0];
    book.forget_gone();
    EXPECT_EQ(snapshot_of(book, text)->routing->services()[0].targets[0], known);
    EXPECT_EQ(known->active(), 1U);
}
