#include "gate/targets/order.hpp"

#include "gate/targets/state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <vector>

using namespace sallyport;
using namespace sallyport::gate;
using testing::ElementsAreArray;

namespace {

using Indices = std::vector<int>;

// A service without a configuration around it: targets 172.16.0.10 and on.
struct Subject {
    config::Service settings;
    Service service;

    Subject(config::Balance balance, std::size_t targets) {
        settings.balance = balance;
        for (std::size_t i = 0; i < targets; ++i) add("172.16.0." + std::to_string(10 + i));
        service.settings = &settings;
    }
    Subject(const Subject&) = delete;
    Subject& operator=(const Subject&) = delete;

    void add(const std::string& text) {
        settings.targets.push_back(
            {{.kind = config::Target::Kind::address, .address = *IpAddress::parse(text), .text = text}, {}});
        service.targets.push_back(std::make_shared<TargetState>());
    }
    void leave(std::size_t target) { service.targets[target]->set(Condition::down, telemetry::Reason::ok, {}); }

    Indices order(std::string_view client = "192.0.2.1", std::uint32_t turn = 0) const {
        const Order ordered = order_targets(service, *IpAddress::parse(client), turn);
        return {ordered.begin(), ordered.end()};
    }
};

// A letter a target: u, f and d for its condition; D and M for what an admin has decided of one that is up, x and y of
// one that is failing.
void set_all(Subject& subject, std::string_view letters) {
    for (std::size_t i = 0; i < letters.size(); ++i) {
        TargetState& state = *subject.service.targets[i];
        const char letter = letters[i];
        if (letter == 'f' || letter == 'x' || letter == 'y') state.not_connected(telemetry::Reason::target_refused, {});
        if (letter == 'd') state.set(Condition::down, telemetry::Reason::target_refused, {});
        if (letter == 'D' || letter == 'x') state.wish(Wish::drain);
        if (letter == 'M' || letter == 'y') state.wish(Wish::maintenance);
    }
}

constexpr config::Balance balances[] = {config::Balance::failover, config::Balance::round_robin,
                                        config::Balance::client};

std::string v4(std::uint32_t n) { return IpAddress::v4(0x0a000000U + n).to_string(); }

std::string v6_of_net(std::uint32_t n) {
    std::array<std::uint8_t, 16> bytes{0x20, 0x01, 0x0d, 0xb8};
    for (std::size_t i = 0; i < 4; ++i) bytes[4 + i] = static_cast<std::uint8_t>(n >> (24 - 8 * i));
    bytes[15] = 1;
    return IpAddress::v6(bytes).to_string();
}

}  // namespace

TEST(Order, WhatIsUpComesFirstWhatFailsLastAndTheRestNotAtAll) {
    struct Case {
        const char* targets;
        std::uint32_t turn;
        Indices failover;
        Indices round_robin;
    };
    const Case cases[] = {
        {"u", 0, {0}, {0}},
        {"uuu", 0, {0, 1, 2}, {0, 1, 2}},
        {"uuu", 1, {0, 1, 2}, {1, 2, 0}},
        {"uuu", 2, {0, 1, 2}, {2, 0, 1}},
        {"uuu", 3, {0, 1, 2}, {0, 1, 2}},
        {"uuu", 4294967295U, {0, 1, 2}, {0, 1, 2}},
        {"uuuu", 4294967295U, {0, 1, 2, 3}, {3, 0, 1, 2}},
        {"fuu", 0, {1, 2, 0}, {1, 2, 0}},
        {"fuu", 1, {1, 2, 0}, {2, 1, 0}},
        {"fuu", 3, {1, 2, 0}, {2, 1, 0}},
        {"fufuu", 2, {1, 3, 4, 0, 2}, {4, 1, 3, 0, 2}},
        {"ff", 1, {0, 1}, {0, 1}},
        {"df", 0, {1}, {1}},
        {"duf", 7, {1, 2}, {1, 2}},
        {"DuM", 0, {1}, {1}},
        {"xyu", 0, {2}, {2}},
        {"xyf", 0, {2}, {2}},
        {"d", 0, {}, {}},
        {"dDMxy", 3, {}, {}},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(std::string(c.targets) + ", turn " + std::to_string(c.turn));
        Subject failover(config::Balance::failover, std::string_view(c.targets).size());
        set_all(failover, c.targets);
        EXPECT_THAT(failover.order("192.0.2.1", c.turn), ElementsAreArray(c.failover));
        Subject round_robin(config::Balance::round_robin, std::string_view(c.targets).size());
        set_all(round_robin, c.targets);
        EXPECT_THAT(round_robin.order("192.0.2.1", c.turn), ElementsAreArray(c.round_robin));
    }
}

// From a second program, in Python: a client finds its target again on every node and after every restart.
TEST(Order, OfAClientIsTheSameForever) {
    struct Case {
        const char* client;
        Indices order;
    };
    const Case cases[] = {
        {"192.0.2.1", {4, 2, 0, 1, 3}},    {"192.0.2.2", {2, 1, 3, 4, 0}},   {"10.0.0.1", {0, 3, 4, 1, 2}},
        {"203.0.113.77", {3, 4, 1, 2, 0}}, {"2001:db8::1", {4, 3, 2, 1, 0}}, {"2001:db8:0:1::1", {3, 4, 2, 1, 0}},
        {"fe80::1", {1, 3, 2, 4, 0}},
    };
    const Subject subject(config::Balance::client, 5);
    for (const Case& c : cases) {
        for (const std::uint32_t turn : {0U, 1U, 77U})
            EXPECT_THAT(subject.order(c.client, turn), ElementsAreArray(c.order)) << c.client;
    }
}

TEST(Order, OfAnIpv6ClientGoesByItsNetworkOf64Bits) {
    const Subject subject(config::Balance::client, 5);
    const Indices at_home = subject.order("2001:db8:1:2::1");
    for (const char* same : {"2001:db8:1:2::2", "2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::"})
        EXPECT_EQ(subject.order(same), at_home) << same;
    int others = 0;
    for (std::uint32_t n = 0; n < 100; ++n) others += subject.order(v6_of_net(n)) != at_home ? 1 : 0;
    EXPECT_GT(others, 90) << "networks beside it have orders of their own";
}

TEST(Order, SharesClientsEvenly) {
    constexpr std::uint32_t clients = 10'000;
    constexpr std::size_t targets = 5;
    const Subject subject(config::Balance::client, targets);
    for (std::string (*client)(std::uint32_t) : {v4, v6_of_net}) {
        // Of the first place, and of who takes over from each.
        std::array<std::uint32_t, targets> first{};
        std::array<std::array<std::uint32_t, targets>, targets> second{};
        for (std::uint32_t n = 0; n < clients; ++n) {
            const Indices order = subject.order(client(n));
            ++first[static_cast<std::size_t>(order[0])];
            ++second[static_cast<std::size_t>(order[0])][static_cast<std::size_t>(order[1])];
        }
        for (std::size_t i = 0; i < targets; ++i) {
            EXPECT_NEAR(first[i], clients / targets, clients / targets / 10) << i;
            for (std::size_t j = 0; j < targets; ++j) {
                if (i != j) EXPECT_NEAR(second[i][j], first[i] / (targets - 1), first[i] / (targets - 1) / 5) << i << j;
            }
        }
    }
}

TEST(Order, ATargetThatLeavesMovesOnlyItsOwnClients) {
    const Subject before(config::Balance::client, 5);
    for (std::size_t gone = 0; gone < 5; ++gone) {
        Subject after(config::Balance::client, 5);
        after.leave(gone);
        for (std::uint32_t n = 0; n < 500; ++n) {
            Indices expected = before.order(v4(n));
            std::erase(expected, static_cast<int>(gone));
            ASSERT_EQ(after.order(v4(n)), expected) << "client " << n << " without target " << gone;
        }
    }
}

TEST(Order, ATargetThatIsAddedTakesClientsAndMixesNobodyElse) {
    const Subject before(config::Balance::client, 5);
    const Subject after(config::Balance::client, 6);
    std::uint32_t taken = 0;
    for (std::uint32_t n = 0; n < 6000; ++n) {
        Indices order = after.order(v4(n));
        taken += order.front() == 5 ? 1 : 0;
        std::erase(order, 5);
        ASSERT_EQ(order, before.order(v4(n)));
    }
    EXPECT_NEAR(taken, 1000, 150);
}

// A target's place in the file says nothing; its name does.
TEST(Order, OfAClientGoesByTheTargetsText) {
    const Subject forward(config::Balance::client, 5);
    Subject backward(config::Balance::client, 0);
    for (int i = 4; i >= 0; --i) backward.add("172.16.0." + std::to_string(10 + i));
    for (std::uint32_t n = 0; n < 200; ++n) {
        Indices mirrored = backward.order(v4(n));
        for (int& index : mirrored) index = 4 - index;
        ASSERT_EQ(mirrored, forward.order(v4(n)));
    }
}

TEST(Order, HoldsAsManyTargetsAsAServiceMayHave) {
    Indices all(config::most_targets);
    std::iota(all.begin(), all.end(), 0);
    for (const config::Balance balance : balances) {
        for (const std::string_view kinds : {"u", "f", "uf", "ffu", "uuuuuuuuuf"}) {
            Subject subject(balance, config::most_targets);
            std::string letters;
            while (letters.size() < config::most_targets) letters += kinds;
            set_all(subject, letters.substr(0, config::most_targets));
            for (const std::uint32_t turn : {0U, 63U, 64U, 4294967295U}) {
                Indices order = subject.order("192.0.2.1", turn);
                const auto failing = [&](int i) { return letters[static_cast<std::size_t>(i)] == 'f'; };
                EXPECT_TRUE(std::ranges::is_partitioned(order, std::not_fn(failing)));
                std::ranges::sort(order);
                EXPECT_EQ(order, all) << "each of them once";
            }
        }
    }
}

TEST(Order, HasEachTargetOnceWhateverOtherThreadsDo) {
    for (const config::Balance balance : balances) {
        Subject subject(balance, config::most_targets);
        std::atomic<bool> over{false};
        std::vector<std::thread> others;
        for (unsigned seed = 1; seed <= 2; ++seed) {
            others.emplace_back([&subject, &over, seed] {
                std::mt19937 random(seed);
                while (!over.load()) {
                    TargetState& state = *subject.service.targets[random() % config::most_targets];
                    if (random() % 2 == 0)
                        state.set(static_cast<Condition>(random() % 3), telemetry::Reason::target_refused, {});
                    else
                        state.wish(static_cast<Wish>(random() % 3));
                }
            });
        }
        for (std::uint32_t turn = 0; turn < 5000; ++turn) {
            Indices order = subject.order("192.0.2.1", turn);
            std::ranges::sort(order);
            ASSERT_TRUE(std::ranges::adjacent_find(order) == order.end());
        }
        over = true;
        for (std::thread& other : others) other.join();
    }
}
