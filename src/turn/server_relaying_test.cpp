#include "turn/testing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sallyport::turn {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct Allocated : Scene {
    Client client{*this, "192.0.2.7:5000"};

    explicit Allocated(std::shared_ptr<Settings> with = make_settings()) : Scene(std::move(with)) { client.allocate(); }
    std::vector<ToPeer> sent() { return std::exchange(world.sent, {}); }
    void peer_sends(std::string_view from, std::string_view data) {
        EXPECT_TRUE(world.peer_sends(*server, at(from), client.relay, data, now));
    }
};

TEST(Permission, OpensBothWaysForFiveMinutesWhateverThePort) {
    Allocated scene;
    scene.client.send_indication("8.8.8.8:53", "early");
    scene.peer_sends("8.8.8.8:53", "early");
    EXPECT_TRUE(scene.client.permit({"8.8.8.8:1", "1.1.1.1:1"}).is_success());
    scene.client.send_indication("8.8.8.8:53", "one", true);
    scene.peer_sends("8.8.8.8:9999", "two");
    scene.peer_sends("1.1.1.1:1", "three");
    scene.peer_sends("9.9.9.9:1", "stranger");
    EXPECT_THAT(scene.sent(), ElementsAre(ToPeer{scene.client.relay, at("8.8.8.8:53"), "one", true}));
    EXPECT_THAT(scene.client.received(), ElementsAre("8.8.8.8:9999=two", "1.1.1.1:1=three"));
    EXPECT_EQ(scene.client.allocation()->dropped, 3U);
    scene.pass(299s);
    scene.peer_sends("8.8.8.8:53", "last");
    EXPECT_THAT(scene.client.received(), SizeIs(1));
    scene.pass(2s);  // data refreshes nothing (RFC 8656 section 9)
    scene.peer_sends("8.8.8.8:53", "late");
    scene.client.send_indication("8.8.8.8:53", "late");
    EXPECT_THAT(scene.client.received(), IsEmpty());
    EXPECT_THAT(scene.sent(), IsEmpty());
}

TEST(Permission, IsGivenToAllThatOneRequestNamesOrToNone) {
    Allocated scene;
    EXPECT_EQ(scene.client.permit({}).error(), 400U);
    EXPECT_EQ(scene.client.permit({"8.8.8.8:1", "10.0.0.1:1"}).error(), 403U);
    EXPECT_EQ(scene.client.permit({"8.8.8.8:1", "[2606:4700::1]:1"}).error(), 443U);
    scene.client.send_indication("8.8.8.8:53", "x");
    EXPECT_THAT(scene.sent(), IsEmpty());
}

TEST(Permission, IsRefusedForDeniedPeersAndTheLogSaysByWhichRule) {
    struct Case {
        const char* peer;
        const char* detail;
    };
    for (const Case& c : {Case{"127.0.0.1:22", "127.0.0.1: built-in 127.0.0.0/8 (loopback)"},
                          Case{"0.0.0.0:22", "0.0.0.0: built-in 0.0.0.0/8 (this host)"},
                          Case{"169.254.169.254:80",
                               "169.254.169.254: built-in 169.254.0.0/16 (link-local, and the metadata of clouds)"}}) {
        Allocated scene;
        EXPECT_EQ(scene.client.permit({c.peer}).error(), 403U);
        EXPECT_EQ(scene.client.bind(0x4000, c.peer).error(), 403U);
        ASSERT_THAT(scene.world.stories, SizeIs(2));
        EXPECT_EQ(scene.world.stories[0].reason, "turn.peer_denied");
        EXPECT_EQ(scene.world.stories[0].detail, c.detail);
        scene.client.send_indication(c.peer, "x");
        EXPECT_THAT(scene.sent(), IsEmpty());
    }
}

TEST(Permission, OfOneAllocationIsForSixtyFourPeersAtATime) {
    Allocated scene;
    for (unsigned i = 0; i < most_permissions; ++i)
        EXPECT_TRUE(scene.client.permit({"8.8.8." + std::to_string(i) + ":1"}).is_success()) << i;
    EXPECT_EQ(scene.client.permit({"8.8.9.1:1"}).error(), 508U);
    EXPECT_TRUE(scene.client.permit({"8.8.8.5:1"}).is_success());
    scene.pass(301s);
    EXPECT_TRUE(scene.client.permit({"8.8.9.1:1"}).is_success());
}

TEST(Channel, CarriesDataBothWaysAndOpensItsPeer) {
    Allocated scene;
    EXPECT_TRUE(scene.client.bind(0x4000, "8.8.8.8:53").is_success());
    scene.client.send_channel(0x4000, "one");
    scene.client.send_channel(0x4001, "unbound");
    scene.client.send(std::string("\x40\x00\x00\x09short", 9));
    scene.peer_sends("8.8.8.8:53", "two");
    scene.peer_sends("8.8.8.8:54", "three");
    EXPECT_THAT(scene.sent(), ElementsAre(ToPeer{scene.client.relay, at("8.8.8.8:53"), "one", false}));
    EXPECT_THAT(scene.client.received(), ElementsAre("#4000=two", "8.8.8.8:54=three"));
}

TEST(Channel, MayHaveEveryNumberOfRfc5766AndNoOther) {
    for (const auto& [number, error] :
         {std::pair{0x3FFFU, 400U}, {0x4000U, 0U}, {0x4FFFU, 0U}, {0x5000U, 0U}, {0x7FFFU, 0U}, {0x8000U, 400U}}) {
        Allocated scene;
        EXPECT_EQ(scene.client.bind(static_cast<std::uint16_t>(number), "8.8.8.8:53").error(), error) << number;
    }
}

TEST(Channel, TiesItsNumberAndItsPeerUntilFiveMinutesAfterItsEnd) {
    Allocated scene;
    scene.client.allocation()->relays[0].until += 100'000;
    EXPECT_TRUE(scene.client.bind(0x4000, "8.8.8.8:53").is_success());
    EXPECT_TRUE(scene.client.bind(0x4000, "8.8.8.8:53").is_success());
    for (const Duration at : {1s, 600s, 295s}) {
        scene.pass(at);
        EXPECT_EQ(scene.client.bind(0x4000, "8.8.8.8:54").error(), 400U);
        EXPECT_EQ(scene.client.bind(0x4001, "8.8.8.8:53").error(), 400U);
    }
    scene.client.send_channel(0x4000, "late");
    EXPECT_THAT(scene.sent(), IsEmpty());
    scene.pass(5s);
    EXPECT_TRUE(scene.client.bind(0x4001, "8.8.8.8:53").is_success());
    EXPECT_TRUE(scene.client.bind(0x4000, "8.8.8.8:54").is_success());
}

TEST(Channel, AskedForInPartIsABadRequest) {
    Allocated scene;
    EXPECT_EQ(scene.client.ask(Method::channel_bind, [](auto& w) { w.add_u32(Attribute::channel_number, 0x40000000); })
                  .error(),
              400U);
    EXPECT_EQ(
        scene.client
            .ask(Method::channel_bind, [](auto& w) { w.add_address(Attribute::xor_peer_address, at("8.8.8.8:1")); })
            .error(),
        400U);
    EXPECT_EQ(scene.client.bind(0x4000, "[2606:4700::1]:1").error(), 443U);
}

TEST(Channel, OfOneAllocationThereAreThirtyTwo) {
    Allocated scene;
    for (unsigned i = 0; i < most_channels; ++i)
        EXPECT_TRUE(
            scene.client.bind(static_cast<std::uint16_t>(0x4000 + i), "8.8.8.8:" + std::to_string(1 + i)).is_success());
    EXPECT_EQ(scene.client.bind(0x4FFF, "8.8.8.8:99").error(), 508U);
}

TEST(ChannelData, IsPaddedOnStreamsAlone) {
    for (const Transport transport : {Transport::udp, Transport::tcp, Transport::tls, Transport::dtls}) {
        Scene scene;
        Client client(scene, "192.0.2.7:5000");
        client.link.transport = transport;
        client.allocate();
        client.bind(0x4000, "8.8.8.8:53");
        scene.world.peer_sends(*scene.server, at("8.8.8.8:53"), client.relay, "hello", scene.now);
        EXPECT_EQ(scene.world.take(client.link.client).at(0).size(), is_stream(transport) ? 12U : 9U);
    }
}

TEST(Relaying, HandsPacketsForARelayOfTheSameLoopOverAtOnce) {
    Allocated scene;
    Client other(scene, "192.0.2.8:5000");
    other.allocate();
    EXPECT_TRUE(scene.client.permit({other.relay.to_string()}).is_success());
    EXPECT_TRUE(other.bind(0x4000, scene.client.relay.to_string()).is_success());
    scene.client.send_indication(other.relay.to_string(), "hello");
    other.send_channel(0x4000, "back");
    EXPECT_THAT(scene.world.sent, IsEmpty());
    EXPECT_THAT(other.received(), ElementsAre("#4000=hello"));
    EXPECT_THAT(scene.client.received(), ElementsAre(other.relay.to_string() + "=back"));
    EXPECT_EQ(other.allocation()->bytes_out, 5U);
    // Whom it does not permit reaches it no more than by the kernel's way.
    Client third(scene, "192.0.2.9:5000");
    third.allocate();
    third.permit({other.relay.to_string()});
    scene.pass(301s);
    third.permit({other.relay.to_string()});
    third.send_indication(other.relay.to_string(), "x");
    EXPECT_THAT(other.received(), IsEmpty());
}

TEST(Relaying, ReachesOfOwnAddressesNothingButRelays) {
    Allocated scene;
    EXPECT_TRUE(scene.client.permit({"198.18.0.1:22"}).is_success());
    scene.client.send_indication("198.18.0.1:22", "x");
    EXPECT_THAT(scene.sent(), IsEmpty());
    scene.shared->live.claim(at("198.18.0.1:50000"));  // another loop's
    scene.client.send_indication("198.18.0.1:50000", "x");
    EXPECT_THAT(scene.sent(), ElementsAre(ToPeer{scene.client.relay, at("198.18.0.1:50000"), "x", false}));
}

// A relay's port is free for others of this machine's programs on its other addresses.
TEST(Relaying, ReachesNoOtherAddressOnTheRelaysPort) {
    Allocated scene(make_settings({.own = {ip("198.18.0.1"), ip("198.18.0.2"), ip("127.0.0.1")}}));
    for (const char* other : {"198.18.0.2", "127.0.0.1"}) {
        const SocketAddress peer{ip(other), scene.client.relay.port};
        EXPECT_TRUE(scene.client.permit({peer.to_string()}).is_success());
        scene.client.send_indication(peer.to_string(), "x");
        EXPECT_THAT(scene.sent(), IsEmpty()) << other;
    }
}

// A line gets a new address from its provider, and the gateway runs on.
TEST(Relaying, ReachesNothingButRelaysOnAnAddressThatHasComeSince) {
    Allocated scene;
    scene.world.addresses = {ip("8.8.8.8")};
    EXPECT_TRUE(scene.client.permit({"8.8.8.8:53"}).is_success());
    scene.client.send_indication("8.8.8.8:53", "x");
    EXPECT_THAT(scene.sent(), IsEmpty());
    scene.shared->live.claim(at("8.8.8.8:50000"));
    scene.client.send_indication("8.8.8.8:50000", "x");
    EXPECT_THAT(scene.sent(), SizeIs(1));
}

TEST(Relaying, KnowsTheNodesRelaysByTheAddressThatANatMaps) {
    auto settings = make_settings({.own = {ip("198.18.0.1"), ip("203.0.113.10")}});
    settings->nat_map.pairs = {{ip("203.0.113.10"), ip("198.18.0.1")}};
    Allocated scene(settings);
    Client other(scene, "192.0.2.8:5000");
    other.allocate();
    scene.client.bind(0x4000, other.relay.to_string());
    other.bind(0x4000, scene.client.relay.to_string());
    scene.client.send_channel(0x4000, "here");
    EXPECT_THAT(other.received(), ElementsAre("#4000=here"));
    // Another loop's relay: sent to the own address, and what comes back from it is the mapped one's.
    scene.shared->live.claim(at("198.18.0.1:50000"));
    scene.client.bind(0x4001, "203.0.113.10:50000");
    scene.client.send_channel(0x4001, "out");
    EXPECT_EQ(scene.sent().at(0).to, at("198.18.0.1:50000"));
    scene.world.peer_sends(*scene.server, at("198.18.0.1:50000"), {ip("198.18.0.1"), scene.client.relay.port}, "in",
                           scene.now);
    EXPECT_THAT(scene.client.received(), ElementsAre("#4001=in"));
}

TEST(Relaying, DropsWhatPassesALimit) {
    for (auto limit :
         {&Settings::allocation_bits_per_second, &Settings::user_bits_per_second, &Settings::node_bits_per_second}) {
        auto settings = make_settings();
        (*settings).*limit = 8 * 1000;
        Allocated scene(settings);
        scene.client.permit({"8.8.8.8:1"});
        for (int i = 0; i < 20; ++i) scene.client.send_indication("8.8.8.8:1", std::string(100, 'x'));
        EXPECT_THAT(scene.sent(), SizeIs(5));
        scene.pass(500ms);
        for (int i = 0; i < 20; ++i) scene.peer_sends("8.8.8.8:1", std::string(100, 'x'));
        EXPECT_THAT(scene.client.received(), SizeIs(5));
    }
}

TEST(Relaying, TakesEmptyData) {
    Allocated scene;
    scene.client.bind(0x4000, "8.8.8.8:53");
    scene.client.send_channel(0x4000, "");
    scene.peer_sends("8.8.8.8:53", "");
    EXPECT_THAT(scene.sent(), SizeIs(1));
    EXPECT_THAT(scene.client.received(), ElementsAre("#4000="));
}

// For streams that are full: answers are owed to their client.
TEST(Relaying, LetsWhatTheNetworkBringsBeLostAndNoAnswer) {
    Allocated scene;
    EXPECT_FALSE(scene.world.last_may_be_lost);
    scene.client.permit({"8.8.4.4:1"});
    scene.client.bind(0x4000, "8.8.8.8:53");
    const RelayId relay{scene.server->table().index_of(scene.client.link), false};
    const std::vector<std::function<void()>> all{
        [&] { scene.peer_sends("8.8.8.8:53", ""); }, [&] { scene.peer_sends("8.8.4.4:53", ""); },
        [&] { scene.server->icmp_from(relay, at("8.8.4.4:1"), {3, 3}, scene.now); }};
    for (const auto& bring : all) {
        scene.world.last_may_be_lost = false;
        bring();
        EXPECT_TRUE(scene.world.last_may_be_lost);
        EXPECT_TRUE(scene.client.refresh().is_success());
        EXPECT_FALSE(scene.world.last_may_be_lost);
    }
}

// A request's other ways in: nothing of these may pass.
TEST(Relaying, DropsIndicationsThatAreNotWhole) {
    Allocated scene;
    scene.client.permit({"8.8.8.8:1"});
    const auto send = [&](auto fill) { scene.client.ask_plain(Method::send, fill, Class::indication); };
    send([](auto& w) { w.add_address(Attribute::xor_peer_address, at("8.8.8.8:1")); });
    send([](auto& w) { w.add(Attribute::data, "x"); });
    send([](auto& w) {
        w.add_address(Attribute::xor_peer_address, at("8.8.8.8:1")), w.add_u32(Attribute::even_port, 0),
            w.add(Attribute::data, "x");
    });
    send([](auto& w) { w.add_address(Attribute::xor_peer_address, at("8.8.8.8:0")), w.add(Attribute::data, "x"); });
    EXPECT_THAT(scene.sent(), IsEmpty());
    EXPECT_EQ(scene.server->tally().dropped.value(), 4U);
}

TEST(Icmp, ThatDataOfTheClientMetIsToldToIt) {
    Allocated scene;
    scene.client.permit({"8.8.8.8:1"});
    const RelayId relay{scene.server->table().index_of(scene.client.link), false};
    const auto told = [&](std::string_view peer, const Icmp& icmp) -> std::string {
        scene.server->icmp_from(relay, at(peer), icmp, scene.now);
        const auto all = scene.world.take(scene.client.link.client);
        if (all.empty()) return "";
        const Response message(all.front());
        EXPECT_EQ(message.message.method(), Method::data);
        EXPECT_FALSE(message.message.has(Attribute::data));
        return message.message.address(Attribute::xor_peer_address)->to_string() + " " +
               std::to_string(*message.message.number(Attribute::icmp, 8));
    };
    // Type and code share 16 bits, of which the code has nine (RFC 8656 section 18.13).
    const auto number = [](std::uint64_t type, std::uint64_t code, std::uint64_t data) {
        return std::to_string((type << 9 | code) << 32 | data);
    };
    EXPECT_EQ(told("8.8.8.8:53", {3, 3}), "8.8.8.8:53 " + number(3, 3, 0));
    EXPECT_EQ(told("8.8.8.8:53", {3, 4, 1400}), "8.8.8.8:53 " + number(3, 4, 1400));
    EXPECT_EQ(told("8.8.8.8:53", {11, 0}), "8.8.8.8:53 " + number(11, 0, 0));
    EXPECT_EQ(told("8.8.8.8:53", {5, 1}), "");     // a redirect is nothing to clients
    EXPECT_EQ(told("8.8.4.4:53", {3, 3}), "");     // nobody has permitted that peer
    scene.pass(301s);
    EXPECT_EQ(told("8.8.8.8:53", {3, 3}), "");
}

}  // namespace
}  // namespace sallyport::turn
