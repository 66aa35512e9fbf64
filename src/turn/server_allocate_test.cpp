#include "turn/testing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sallyport::turn {
namespace {

using namespace testing;
using ::testing::IsEmpty;
using ::testing::SizeIs;

void udp(stun::MessageWriter& writer) { writer.add_u32(Attribute::requested_transport, 17U << 24); }

std::vector<std::string> relays_in(const Response& response) {
    std::vector<std::string> out;
    response.message.each_address(Attribute::xor_relayed_address,
                                  [&](const auto& address) { out.push_back(address->ip.to_string()); });
    return out;
}

TEST(Allocate, AnswersRelayLifetimeAndTheClientsAddress) {
    Scene scene;
    Client client(scene, "192.0.2.7:5000");
    const auto response = client.allocate();
    ASSERT_TRUE(response.is_success());
    EXPECT_EQ(client.relay.ip, ip("198.18.0.1"));  // the one that the client reached
    EXPECT_GE(client.relay.port, 49152);
    EXPECT_EQ(response.message.number(Attribute::lifetime, 4), 600U);
    EXPECT_EQ(response.message.address(Attribute::xor_mapped_address), client.link.client);
    EXPECT_FALSE(response.message.has(Attribute::reservation_token));
    EXPECT_FALSE(response.message.has(Attribute::software));
    EXPECT_TRUE(scene.world.bound.contains(client.relay));
}

TEST(Allocate, GivesTheAddressThatAnOuterNatMaps) {
    auto settings = make_settings();
    settings->nat_map.pairs = {{ip("203.0.113.10"), ip("198.18.0.1")}};
    Scene scene(settings);
    Client client(scene, "192.0.2.7:5000");
    client.allocate();
    EXPECT_EQ(client.relay.ip, ip("203.0.113.10"));
    EXPECT_TRUE(scene.world.bound.contains({ip("198.18.0.1"), client.relay.port}));
}

TEST(Allocate, GivesLifetimesBetweenTenMinutesAndTheLongest) {
    for (const auto& [asked, given] : {std::pair{0U, 600U}, {1U, 600U}, {1200U, 1200U}, {1U << 31, 3600U}}) {
        Scene scene;
        Client client(scene, "192.0.2.7:5000");
        const auto response =
            client.allocate([lifetime = asked](auto& writer) { writer.add_u32(Attribute::lifetime, lifetime); });
        EXPECT_EQ(response.message.number(Attribute::lifetime, 4), given) << asked;
        scene.pass(std::chrono::seconds(given - 1));
        EXPECT_NE(client.allocation(), nullptr);
        scene.pass(2s);
        EXPECT_EQ(client.allocation(), nullptr);
        EXPECT_THAT(scene.world.sockets, IsEmpty());
    }
}

// RFC 8656 section 7.2: the answer got lost.
TEST(Allocate, AnswersItsRepetitionAlikeAndAnotherOneNot) {
    Scene scene;
    Client client(scene, "192.0.2.7:5000");
    const auto first = client.allocate();
    client.repeat = true;
    EXPECT_EQ(client.allocate().bytes, first.bytes);
    client.repeat = false;
    EXPECT_EQ(client.allocate().error(), 437U);
    EXPECT_EQ(scene.server->allocations(), 1U);
    EXPECT_THAT(scene.world.sockets, SizeIs(1));
}

TEST(Allocate, SaysWhatItCannotDo) {
    using Fill = void (*)(stun::MessageWriter&);
    struct Case {
        const char* name;
        Fill fill;
        unsigned error;
    };
    const Case cases[] = {
        {"no transport", [](auto&) {}, 400},
        {"TCP over UDP", [](auto& w) { w.add_u32(Attribute::requested_transport, 6U << 24); }, 442},
        {"SCTP", [](auto& w) { w.add_u32(Attribute::requested_transport, 132U << 24); }, 442},
        {"no such family", [](auto& w) { udp(w), w.add_u32(Attribute::requested_address_family, 3U << 24); }, 440},
        {"no IPv6 here", [](auto& w) { udp(w), w.add_u32(Attribute::requested_address_family, 2U << 24); }, 440},
        {"more IPv4", [](auto& w) { udp(w), w.add_u32(Attribute::additional_address_family, 1U << 24); }, 400},
        {"two ways to ask for families",
         [](auto& w) {
             udp(w), w.add_u32(Attribute::additional_address_family, 2U << 24),
                 w.add_u32(Attribute::requested_address_family, 1U << 24);
         },
         400},
        {"an unknown token", [](auto& w) { udp(w), w.add(Attribute::reservation_token, "01234567"); }, 508},
        {"a token and a family",
         [](auto& w) {
             udp(w), w.add(Attribute::reservation_token, "01234567"),
                 w.add_u32(Attribute::requested_address_family, 1U << 24);
         },
         400},
        {"a token and an even port",
         [](auto& w) { udp(w), w.add(Attribute::reservation_token, "01234567"), w.add(Attribute::even_port, "\x80"); },
         400},
        {"a pair for both families",
         [](auto& w) {
             udp(w), w.add(Attribute::even_port, "\x80"), w.add_u32(Attribute::additional_address_family, 2U << 24);
         },
         400},
        {"a lifetime of three bytes", [](auto& w) { udp(w), w.add(Attribute::lifetime, "abc"); }, 400},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        Scene scene;
        Client client(scene, "192.0.2.7:5000");
        EXPECT_EQ(client.ask(Method::allocate, c.fill).error(), c.error);
        EXPECT_EQ(scene.server->allocations(), 0U);
        EXPECT_EQ(scene.shared->quotas.users(), 0U);
        EXPECT_EQ(scene.shared->live.size(), 0U);
    }
}

TEST(Allocate, GivesBothFamiliesAtOnceWhereThereAreBoth) {
    auto settings = make_settings();
    settings->relay_addresses = {ip("198.18.0.1"), ip("2001:db8::1")};
    Scene scene(settings);
    Client both(scene, "192.0.2.7:5000");
    const auto response =
        both.allocate([](auto& writer) { writer.add_u32(Attribute::additional_address_family, 2U << 24); });
    EXPECT_EQ(relays_in(response), (std::vector<std::string>{"198.18.0.1", "2001:db8::1"}));
    EXPECT_FALSE(response.message.has(Attribute::address_error_code));
    Client v6(scene, "192.0.2.7:5001");
    EXPECT_EQ(
        relays_in(v6.allocate([](auto& writer) { writer.add_u32(Attribute::requested_address_family, 2U << 24); })),
        std::vector<std::string>{"2001:db8::1"});

    // Each family by itself, or both (RFC 8656 section 8.1).
    EXPECT_EQ(v6.refresh(600, 1).error(), 443U);
    EXPECT_TRUE(both.refresh(0, 2).is_success());
    EXPECT_THAT(scene.world.sockets, SizeIs(2));
    EXPECT_EQ(both.permit({"[2606:4700::1]:1"}).error(), 443U);
    EXPECT_TRUE(both.permit({"8.8.8.8:1"}).is_success());
    EXPECT_TRUE(both.refresh(0).is_success());
    EXPECT_EQ(scene.server->allocations(), 1U);
}

TEST(Allocate, SaysThatTheSecondFamilyLacks) {
    Scene scene;
    Client client(scene, "192.0.2.7:5000");
    const auto response =
        client.allocate([](auto& writer) { writer.add_u32(Attribute::additional_address_family, 2U << 24); });
    ASSERT_TRUE(response.is_success());
    EXPECT_EQ(relays_in(response), std::vector<std::string>{"198.18.0.1"});
    EXPECT_EQ(response.message.number(Attribute::address_error_code, 4), 0x02000428U);
}

TEST(Allocate, GivesEvenPortsAndKeepsTheNextOneForTheTokensBearer) {
    Scene scene;
    Client even(scene, "192.0.2.7:5000");
    even.allocate([](auto& writer) { writer.add(Attribute::even_port, std::string_view("\0", 1)); });
    EXPECT_EQ(even.relay.port % 2, 0);

    Client rtp(scene, "192.0.2.7:5001");
    const auto pair = rtp.allocate([](auto& writer) { writer.add(Attribute::even_port, "\x80"); });
    EXPECT_EQ(rtp.relay.port % 2, 0);
    const std::string token(pair.message.text(Attribute::reservation_token));
    ASSERT_EQ(token.size(), 8U);
    EXPECT_EQ(scene.shared->reservations.size(), 1U);

    // The other loop's client gets it too.
    Server other(scene.world, *scene.shared, scene.settings, scene.now.steady);
    Client rtcp(scene, "192.0.2.7:5002");
    const auto bearer = [&](auto& writer) { writer.add(Attribute::reservation_token, token); };
    EXPECT_TRUE(rtcp.allocate(bearer).is_success());
    EXPECT_EQ(rtcp.relay.port, rtp.relay.port + 1);
    Client late(scene, "192.0.2.7:5003");
    EXPECT_EQ(late.allocate(bearer).error(), 508U);
}

TEST(Allocate, KeepsAPortForThirtySeconds) {
    Scene scene;
    Client rtp(scene, "192.0.2.7:5000");
    rtp.allocate([](auto& writer) { writer.add(Attribute::even_port, "\x80"); });
    EXPECT_THAT(scene.world.sockets, SizeIs(2));
    EXPECT_EQ(scene.shared->live.size(), 2U);
    scene.pass(29s);
    EXPECT_THAT(scene.world.sockets, SizeIs(2));
    scene.pass(1s);
    EXPECT_THAT(scene.world.sockets, SizeIs(1));
    EXPECT_EQ(scene.shared->live.size(), 1U);
    EXPECT_EQ(scene.shared->reservations.size(), 0U);
}

TEST(Allocate, TakesRandomPortsOfTheRangeDownToTheLast) {
    auto settings = make_settings();
    settings->first_relay_port = 50'000;
    settings->last_relay_port = 50'009;
    Scene scene(settings);
    scene.world.taken = {at("198.18.0.1:50003")};
    std::vector<std::uint16_t> ports;
    for (std::uint16_t i = 0; i < 9; ++i) {
        Client client(scene, "192.0.2.7:" + std::to_string(5000 + i));
        ASSERT_TRUE(client.allocate().is_success()) << i;
        ports.push_back(client.relay.port);
    }
    EXPECT_FALSE(std::ranges::is_sorted(ports) && std::ranges::is_sorted(ports, std::greater{}));
    EXPECT_EQ(std::ranges::find(ports, 50'003), ports.end());
    Client last(scene, "192.0.2.7:6000");
    EXPECT_EQ(last.allocate().error(), 508U);
    EXPECT_EQ(scene.world.stories.back().reason, "turn.ports");
}

TEST(Allocate, OfMoreThanTheQuotaIsRefused) {
    auto settings = make_settings();
    settings->allocations = {.per_user = 2, .total = 3};
    Scene scene(settings);
    Client a(scene, "192.0.2.7:1"), b(scene, "192.0.2.7:2"), c(scene, "192.0.2.7:3");
    Client d(scene, "192.0.2.7:4", "bob", "word"), e(scene, "192.0.2.7:5", "bob", "word");
    EXPECT_TRUE(a.allocate().is_success());
    EXPECT_TRUE(b.allocate().is_success());
    EXPECT_EQ(c.allocate().error(), 486U);
    EXPECT_EQ(scene.world.stories.back().reason, "turn.quota");
    EXPECT_EQ(scene.world.stories.back().detail, "allocations_per_user");
    EXPECT_TRUE(d.allocate().is_success());
    EXPECT_EQ(e.allocate().error(), 486U);
    EXPECT_EQ(scene.world.stories.back().detail, "allocations");
    EXPECT_TRUE(a.refresh(0).is_success());
    EXPECT_TRUE(c.allocate().is_success());
}

// Else one user takes all ports, by pairs whose other half nobody ever asks for.
TEST(Allocate, KeepsOfOneUserNoMorePortsThanItMayHoldAllocations) {
    auto settings = make_settings();
    settings->allocations = {.per_user = 2};
    Scene scene(settings);
    const auto pair = [](auto& writer) { writer.add(Attribute::even_port, "\x80"); };
    Client alice(scene, "192.0.2.7:1");
    for (int i = 0; i < 2; ++i) {
        EXPECT_TRUE(alice.allocate(pair).is_success());
        EXPECT_TRUE(alice.refresh(0).is_success());
    }
    EXPECT_EQ(alice.allocate(pair).error(), 486U);
    EXPECT_EQ(scene.world.stories.back().detail, "allocations_per_user");
    EXPECT_THAT(scene.world.sockets, SizeIs(2));
    EXPECT_TRUE(alice.allocate().is_success());
    EXPECT_TRUE(Client(scene, "192.0.2.7:2", "bob", "word").allocate(pair).is_success());
    alice.refresh(0);
    scene.pass(31s);
    EXPECT_TRUE(alice.allocate(pair).is_success());
}

TEST(Allocate, LeavesNothingBehindWhenTheSystemHasNoRoom) {
    Scene scene;
    for (const bool starts : {true, false}) {
        scene.world.most_sockets = starts ? 0 : 100;
        scene.world.starts = starts;
        Client client(scene, "192.0.2.7:5000");
        EXPECT_EQ(client.allocate().error(), 508U);
        EXPECT_EQ(scene.server->allocations(), 0U);
        EXPECT_EQ(scene.shared->quotas.users(), 0U);
        EXPECT_EQ(scene.shared->live.size(), 0U);
        EXPECT_THAT(scene.world.sockets, IsEmpty());
    }
}

// EVEN-PORT in both forms, tokens that are used, used late and never, refusals and every way to end: in any order.
TEST(Allocate, LeavesThePortsAsTheyWereAfterAnySequence) {
    for (std::uint32_t seed = 1; seed <= 50; ++seed) {
        std::uint32_t state = seed;
        const auto next = [&](std::uint32_t below) {
            state = state * 1664525 + 1013904223;
            return (state >> 16) % below;
        };
        auto settings = make_settings();
        settings->first_relay_port = 50000;
        settings->last_relay_port = 50019;
        settings->relay_addresses = {ip("198.18.0.1"), ip("2001:db8::1")};
        Scene scene(settings);
        std::string token;
        for (int step = 0; step < 200; ++step) {
            Client client(scene, "192.0.2.7:" + std::to_string(5000 + next(12)));
            scene.world.most_sockets = next(10) == 0 ? scene.world.sockets.size() + next(2) : 10'000;
            switch (next(7)) {
                case 0: client.allocate(); break;
                case 1: client.allocate([](auto& w) { w.add(Attribute::even_port, std::string_view("\0", 1)); }); break;
                case 2: {
                    const auto got = client.allocate([](auto& w) { w.add(Attribute::even_port, "\x80"); });
                    if (got.message.has(Attribute::reservation_token))
                        token = got.message.text(Attribute::reservation_token);
                    break;
                }
                case 3: client.allocate([&](auto& w) { w.add(Attribute::reservation_token, token); }); break;
                case 4:
                    client.allocate([](auto& w) { w.add_u32(Attribute::additional_address_family, 2U << 24); });
                    break;
                case 5: client.refresh(0, next(2) == 0 ? std::nullopt : std::optional<std::uint8_t>(2)); break;
                default: scene.pass(std::chrono::seconds(next(20)));
            }
            EXPECT_EQ(scene.shared->live.size(), scene.world.sockets.size());
        }
        scene.world.most_sockets = 10'000;
        scene.pass(1h);
        EXPECT_EQ(scene.shared->live.size(), 0U) << seed;
        EXPECT_THAT(scene.world.sockets, IsEmpty()) << seed;
        EXPECT_EQ(scene.shared->quotas.allocations(), 0U) << seed;
    }
}

TEST(Allocate, IsRefusedWhileDraining) {
    Scene scene;
    Client present(scene, "192.0.2.7:1");
    present.allocate();
    scene.server->drain();
    EXPECT_EQ(Client(scene, "192.0.2.7:2").allocate().error(), 508U);
    EXPECT_TRUE(present.refresh().is_success());
}

TEST(Allocation, EndsInOneStoryThatCountsItsBytes) {
    Scene scene;
    Client client(scene, "192.0.2.7:5000");
    client.allocate();
    client.permit({"8.8.8.8:1"});
    client.send_indication("8.8.8.8:53", "four");
    scene.world.peer_sends(*scene.server, at("8.8.8.8:53"), client.relay, "answer", scene.now);
    scene.pass(10s);
    client.refresh(0);
    ASSERT_THAT(scene.world.stories, SizeIs(1));
    const auto& story = scene.world.stories[0];
    EXPECT_EQ(story.client, "192.0.2.7:5000");
    EXPECT_EQ(story.user, "alice");
    EXPECT_EQ(story.reason, "ok");
    EXPECT_EQ(story.detail, "its client ended it");
    EXPECT_EQ(story.relay, client.relay.to_string());
    EXPECT_EQ(story.bytes_in, 4U);
    EXPECT_EQ(story.bytes_out, 6U);
    EXPECT_EQ(story.lasted, 10s);
}

TEST(Allocation, EndsWithTheConnectionItCameBy) {
    Scene scene;
    Client client(scene, "192.0.2.7:5000");
    client.allocate();
    scene.server->link_ended(client.link, scene.now);
    scene.server->link_ended(client.link, scene.now);
    EXPECT_EQ(scene.server->allocations(), 0U);
    EXPECT_THAT(scene.world.stories, SizeIs(1));
    EXPECT_THAT(scene.world.sockets, IsEmpty());
}

TEST(Allocation, OfEachClientBehindOneAddressIsItsOwn) {
    Scene scene;
    Client a(scene, "192.0.2.7:5000"), b(scene, "192.0.2.7:5001");
    a.allocate();
    b.allocate();
    EXPECT_NE(a.relay, b.relay);
    Client c(scene, "192.0.2.7:5000");
    c.link.local = at("198.18.0.2:3478");  // the same client at another address of ours
    EXPECT_TRUE(c.allocate().is_success());
    EXPECT_EQ(scene.server->allocations(), 3U);
}

}  // namespace
}  // namespace sallyport::turn
