#include "guard/lookout.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

using namespace sallyport;
using namespace sallyport::guard;

namespace {

const IpAddress client = *IpAddress::parse("192.0.2.7");

Suspicion seen_at(int second) { return {.client = client, .time = SteadyTime{std::chrono::seconds(second)}}; }

TEST(Lookout, WhatWasToldIsTakenInOrder) {
    Lookout lookout;
    lookout.suspect({.client = client,
                     .protocol = telemetry::Protocol::ldap,
                     .sign = Sign::wrong_credentials,
                     .credential = 7,
                     .time = SteadyTime{std::chrono::seconds(1)}});
    lookout.suspect(seen_at(2));
    const auto first = lookout.take();
    ASSERT_TRUE(first);
    EXPECT_EQ(first->client, client);
    EXPECT_EQ(first->protocol, telemetry::Protocol::ldap);
    EXPECT_EQ(first->sign, Sign::wrong_credentials);
    EXPECT_EQ(first->credential, 7U);
    EXPECT_EQ(lookout.take()->time, seen_at(2).time);
    EXPECT_FALSE(lookout.take());
}

TEST(Lookout, MoreThanItHoldsIsDroppedAndCounted) {
    Lookout lookout;
    for (int i = 0; i < 5000; ++i) lookout.suspect(seen_at(i));
    EXPECT_EQ(lookout.dropped(), 5000U - 4096U);
    EXPECT_EQ(lookout.take()->time, seen_at(0).time);
    lookout.suspect(seen_at(6000));  // there is room again
    EXPECT_EQ(lookout.dropped(), 5000U - 4096U);
}

TEST(Lookout, OneThreadTellsWhileAnotherTakes) {
    Lookout lookout;
    constexpr int count = 100'000;
    std::atomic<bool> told_all{false};
    std::jthread telling([&] {
        for (int i = 0; i < count; ++i) lookout.suspect(seen_at(i));
        told_all = true;
    });
    std::uint64_t taken = 0;
    SteadyTime last{std::chrono::seconds(-1)};
    const auto take_all = [&] {
        while (const auto seen = lookout.take()) {
            EXPECT_LT(last, seen->time);
            last = seen->time;
            ++taken;
        }
    };
    while (!told_all) take_all();
    take_all();
    EXPECT_EQ(taken + lookout.dropped(), static_cast<std::uint64_t>(count));
}

TEST(Lookout, WakesOnceForWhatIsToldUntilSomebodyTakesIt) {
    int woken = 0;
    Lookout lookout([&woken] { ++woken; });
    lookout.suspect(seen_at(1));
    lookout.suspect(seen_at(2));
    EXPECT_EQ(woken, 1);
    lookout.rest();
    lookout.suspect(seen_at(3));
    EXPECT_EQ(woken, 2);
}

TEST(Lookout, BansByTheIndexAndTheListsAndAllowBeatsBoth) {
    Lookout lookout;
    EXPECT_FALSE(lookout.banned(client));
    auto index = std::make_shared<BanIndex>(10, 1);
    index->insert(ClientKey(client));
    Bans bans{.index = index, .lists = {}};
    bans.lists.banned.add(*Network::parse("198.51.100.0/24"));
    bans.lists.allowed.add(*Network::parse("198.51.100.7"));
    bans.lists.allowed.add(*Network::parse("192.0.2.9"));
    lookout.adopt(std::make_shared<const Bans>(bans));
    EXPECT_TRUE(lookout.banned(client));
    EXPECT_FALSE(lookout.banned(*IpAddress::parse("192.0.2.8")));
    EXPECT_TRUE(lookout.banned(*IpAddress::parse("198.51.100.8")));
    EXPECT_FALSE(lookout.banned(*IpAddress::parse("198.51.100.7")));
    index->insert(ClientKey(*IpAddress::parse("192.0.2.9")));
    EXPECT_FALSE(lookout.banned(*IpAddress::parse("192.0.2.9")));
    index->erase(ClientKey(client));
    EXPECT_FALSE(lookout.banned(client));
}

TEST(CredentialHash, TellsCredentialsApartAndKnowsThemAgain) {
    EXPECT_EQ(credential_hash("alice", "wonder"), credential_hash("alice", "wonder"));
    EXPECT_NE(credential_hash("alice", "wonder"), credential_hash("alice", "wonderland"));
    EXPECT_NE(credential_hash("alice", "wonder"), credential_hash("bob", "wonder"));
    EXPECT_NE(credential_hash("ab", "c"), credential_hash("a", "bc"));
    EXPECT_NE(credential_hash("", ""), 0U);
}

}  // namespace
