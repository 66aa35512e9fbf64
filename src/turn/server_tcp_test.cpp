// Relaying over TCP (RFC 6062): who may, with whom, for how long, and that nothing is left behind.
#include "turn/testing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sallyport::turn {
namespace {

using namespace testing;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::shared_ptr<Settings> with_tcp() {
    auto settings = make_settings();
    settings->tcp_relays = true;
    return settings;
}

void by_stream(Client& client, std::uint32_t number) {
    client.link.transport = Transport::tcp;
    client.link.number = number;
}

Response allocate_tcp(Client& client, const Client::Fill& fill = {}) { return client.allocate(fill, 6); }

struct TcpScene : Scene {
    Client client{*this, "192.0.2.7:5000"};
    Client data{*this, "192.0.2.7:5001"};  // its second connection

    explicit TcpScene(std::shared_ptr<Settings> with = with_tcp()) : Scene(std::move(with)) {
        by_stream(client, 1);
        by_stream(data, 2);
        EXPECT_TRUE(allocate_tcp(client).is_success());
    }
    /// The request alone: its answer comes once the connection is there.
    std::optional<Response> connect(std::string_view peer) {
        return client.try_ask(Method::connect,
                              [&](auto& writer) { writer.add_address(Attribute::xor_peer_address, at(peer)); });
    }
    /// What the server has said to the client since.
    std::optional<Response> said() {
        const auto all = world.take(client.link.client);
        if (all.empty()) return std::nullopt;
        return Response(all.back());
    }
    std::uint32_t connected(std::string_view peer) {
        EXPECT_FALSE(connect(peer));
        const auto dialed = world.dialed.back();
        server->connected(dialed.connection, dialed.id, world.new_socket(at(peer)), now);
        const auto answer = said();
        EXPECT_TRUE(answer && answer->is_success());
        return static_cast<std::uint32_t>(answer->message.number(Attribute::connection_id, 4).value_or(0));
    }
    Response bind(Client& by, std::uint32_t id) {
        return by.ask(Method::connection_bind, [&](auto& writer) { writer.add_u32(Attribute::connection_id, id); });
    }
    bool accept(std::string_view from) {
        const int socket = world.new_socket(at(from));
        server->accepted({server->table().index_of(client.link), false}, at(from), socket, now);
        return world.sockets.contains(socket);
    }
};

TEST(TcpAllocation, IsForClientsOfStreamsWhereItIsServed) {
    Scene scene(with_tcp());
    Client by_udp(scene, "192.0.2.7:5000");
    EXPECT_EQ(allocate_tcp(by_udp).error(), 400U);
    Client by_tcp(scene, "192.0.2.7:5001");
    by_stream(by_tcp, 1);
    EXPECT_EQ(allocate_tcp(by_tcp, [](auto& writer) { writer.add_flag(Attribute::dont_fragment); }).error(), 400U);
    EXPECT_TRUE(allocate_tcp(by_tcp).is_success());
    EXPECT_TRUE(scene.shared->live_tcp.contains(by_tcp.relay));
    EXPECT_EQ(scene.shared->live.size(), 0U);
    Scene without;
    Client refused(without, "192.0.2.7:5000");
    by_stream(refused, 1);
    EXPECT_EQ(allocate_tcp(refused).error(), 442U);
}

TEST(TcpAllocation, KnowsNoChannelsAndNoIndications) {
    TcpScene scene;
    EXPECT_EQ(scene.client.bind(0x4000, "8.8.8.8:80").error(), 400U);
    EXPECT_TRUE(scene.client.permit({"8.8.8.8:80"}).is_success());
    scene.client.send_indication("8.8.8.8:80", "x");
    EXPECT_THAT(scene.world.sent, IsEmpty());
    Client other(scene, "192.0.2.8:5000");
    other.allocate();
    EXPECT_EQ(other
                  .ask(Method::connect,
                       [](auto& writer) { writer.add_address(Attribute::xor_peer_address, at("8.8.8.8:80")); })
                  .error(),
              400U);
}

TEST(Connect, IsAnsweredOnceThePeerIsThereAndTakenOverByAConnectionOfItsOwn) {
    TcpScene scene;
    const std::uint32_t id = scene.connected("8.8.8.8:80");
    EXPECT_EQ(scene.world.dialed[0].own, scene.client.relay);
    EXPECT_EQ(scene.world.dialed[0].peer, at("8.8.8.8:80"));
    EXPECT_TRUE(scene.bind(scene.data, id).is_success());
    ASSERT_THAT(scene.world.carried, SizeIs(1));
    EXPECT_EQ(scene.world.carried[0].link, scene.data.link);
    EXPECT_EQ(scene.bind(scene.data, id).error(), 400U);  // once
}

TEST(Connect, FailsInItsOwnWords) {
    TcpScene scene;
    EXPECT_FALSE(scene.connect("8.8.8.8:80"));
    EXPECT_EQ(scene.connect("8.8.8.8:80")->error(), 446U);
    const auto dialed = scene.world.dialed[0];
    scene.server->connected(dialed.connection, dialed.id, -1, scene.now);
    EXPECT_EQ(scene.said()->error(), 447U);
    EXPECT_EQ(scene.shared->connections.size(), 0U);
    EXPECT_FALSE(scene.connect("8.8.8.8:80"));  // and may be tried again
}

TEST(Connect, ReachesWhomTheRulesLetItReach) {
    TcpScene scene;
    EXPECT_EQ(scene.connect("10.0.0.1:80")->error(), 403U);
    EXPECT_EQ(scene.connect("127.0.0.1:80")->error(), 403U);
    EXPECT_EQ(scene.connect("198.18.0.1:22")->error(), 403U);  // of this node its relays alone
    EXPECT_EQ(scene.world.stories.back().reason, "turn.peer_denied");
    EXPECT_EQ(scene.world.stories.back().detail, "198.18.0.1:22: an address of this node, and no relay");
    Client other(scene, "192.0.2.8:5000", "bob", "word");
    by_stream(other, 3);
    ASSERT_TRUE(allocate_tcp(other).is_success());
    EXPECT_FALSE(scene.connect(other.relay.to_string()));
    Client by_udp(scene, "192.0.2.9:5000", "bob", "word");
    by_udp.allocate();
    EXPECT_EQ(scene.connect(by_udp.relay.to_string())->error(), 403U);
    EXPECT_EQ(scene.client.ask(Method::connect).error(), 400U);
}

TEST(Connect, IsForSoManyPeersAtATime) {
    TcpScene scene;
    for (std::size_t i = 0; i < most_peer_connections; ++i)
        EXPECT_FALSE(scene.connect("8.8.8.8:" + std::to_string(1000 + i)));
    EXPECT_EQ(scene.connect("8.8.8.8:80")->error(), 508U);
}

TEST(ConnectionBind, IsForTheUserWhoseItIs) {
    TcpScene scene;
    const std::uint32_t id = scene.connected("8.8.8.8:80");
    Client thief(scene, "192.0.2.66:5000", "bob", "word");
    by_stream(thief, 3);
    EXPECT_EQ(scene.bind(thief, id).error(), 441U);
    EXPECT_EQ(scene.bind(scene.data, id + 1).error(), 400U);
    EXPECT_EQ(scene.bind(scene.client, id).error(), 400U);  // not by the connection of the allocation
    EXPECT_TRUE(scene.bind(scene.data, id).is_success());
}

// coturn's client has one nonce for all of its connections, and loses a request for each that is called stale.
TEST(ConnectionBind, GoesByTheNonceOfTheAllocationsConnection) {
    TcpScene scene;
    const std::uint32_t id = scene.connected("8.8.8.8:80");
    scene.data.take_challenge(*scene.data.ask_plain(Method::connection_bind));
    EXPECT_EQ(scene.data.nonce, scene.client.nonce);
    const auto bound = scene.data.ask_signed(Method::connection_bind,
                                             [&](auto& writer) { writer.add_u32(Attribute::connection_id, id); });
    EXPECT_TRUE(bound->is_success());
}

TEST(ConnectionAttempt, IsToldOfPeersWithPermissionAndOfNobodyElse) {
    TcpScene scene;
    EXPECT_FALSE(scene.accept("8.8.8.8:4711"));
    EXPECT_FALSE(scene.said());
    EXPECT_TRUE(scene.client.permit({"8.8.8.8:1"}).is_success());
    EXPECT_TRUE(scene.accept("8.8.8.8:4711"));
    EXPECT_FALSE(scene.accept("8.8.4.4:4711"));
    const auto told = scene.said();
    EXPECT_EQ(told->message.method(), Method::connection_attempt);
    EXPECT_EQ(told->message.address(Attribute::xor_peer_address), at("8.8.8.8:4711"));
    EXPECT_TRUE(scene.bind(scene.data, static_cast<std::uint32_t>(*told->message.number(Attribute::connection_id, 4)))
                    .is_success());
}

TEST(PeerConnection, ThatNobodyTakesOverEndsAfterThirtySeconds) {
    TcpScene scene;
    const std::size_t before = scene.world.sockets.size();
    const std::uint32_t id = scene.connected("8.8.8.8:80");
    scene.pass(29s);
    EXPECT_EQ(scene.world.sockets.size(), before + 1);
    scene.pass(2s);
    EXPECT_EQ(scene.world.sockets.size(), before);
    EXPECT_EQ(scene.shared->connections.size(), 0U);
    EXPECT_EQ(scene.bind(scene.data, id).error(), 400U);
}

TEST(PeerConnection, EndsWithItsAllocation) {
    TcpScene scene;
    scene.connected("8.8.8.8:80");
    const std::uint32_t id = scene.connected("8.8.8.8:81");
    EXPECT_TRUE(scene.bind(scene.data, id).is_success());
    bool hung_up = false;
    scene.world.carried[0].connection->carried_by([&] { hung_up = true; });
    EXPECT_FALSE(scene.connect("8.8.8.8:82"));
    const auto dialed = scene.world.dialed.back();
    EXPECT_TRUE(scene.client.refresh(0).is_success());
    EXPECT_TRUE(hung_up);
    EXPECT_EQ(scene.shared->connections.size(), 0U);
    EXPECT_EQ(scene.shared->live_tcp.size(), 0U);
    const int late = scene.world.new_socket(at("8.8.8.8:82"));  // the one that was being dialed
    scene.server->connected(dialed.connection, dialed.id, late, scene.now);
    EXPECT_FALSE(scene.world.sockets.contains(late));
    EXPECT_THAT(scene.world.sockets, SizeIs(1));  // what is carried is its carrier's
}

TEST(PeerConnection, IsCountedWhenItHasEnded) {
    TcpScene scene;
    EXPECT_TRUE(scene.bind(scene.data, scene.connected("8.8.8.8:80")).is_success());
    const auto connection = scene.world.carried[0].connection;
    connection->bytes_in = 7;
    connection->bytes_out = 9;
    connection->end();
    scene.client.refresh(0);
    EXPECT_EQ(scene.world.stories.back().bytes_in, 7U);
    EXPECT_EQ(scene.world.stories.back().bytes_out, 9U);
}

TEST(PeerConnection, KeepsTheLimitsOnBitsOfItsAllocationItsUserAndTheNode) {
    auto settings = with_tcp();
    settings->allocation_bits_per_second = 1;
    settings->user_bits_per_second = 2;
    settings->node_bits_per_second = 3;
    TcpScene scene(settings);
    Client same(scene, "192.0.2.8:5000");  // another allocation of that user
    Client other(scene, "192.0.2.9:5000", "bob", "word");
    for (Client* one : {&same, &other}) {
        by_stream(*one, one->link.client.ip.bytes().back());
        ASSERT_TRUE(allocate_tcp(*one).is_success());
    }
    const auto limits = [&](Client& client, std::string_view peer) {
        client.ask(Method::refresh);
        client.ask_signed(Method::connect,
                          [&](auto& writer) { writer.add_address(Attribute::xor_peer_address, at(peer)); });
        return scene.server->bit_limits(*scene.world.dialed.back().connection);
    };
    const auto one = limits(scene.client, "8.8.8.8:80");
    const auto second = limits(scene.client, "8.8.8.8:81");
    const auto of_same = limits(same, "8.8.8.8:82");
    const auto of_other = limits(other, "8.8.8.8:83");
    for (std::size_t i = 0; i < one.size(); ++i) {
        EXPECT_EQ(one[i].per_second, i + 1);
        EXPECT_EQ(second[i].bucket, one[i].bucket);
        EXPECT_EQ(of_same[i].bucket == one[i].bucket, i > 0);
        EXPECT_EQ(of_other[i].bucket == one[i].bucket, i > 1);
    }
}

TEST(PeerConnection, MayTakeFromItsLimitsWhenItsAllocationIsGone) {
    auto settings = with_tcp();
    settings->user_bits_per_second = 800'000;
    TcpScene scene(settings);
    EXPECT_TRUE(scene.bind(scene.data, scene.connected("8.8.8.8:80")).is_success());
    const auto connection = scene.world.carried[0].connection;
    scene.client.refresh(0);
    EXPECT_EQ(scene.shared->quotas.users(), 0U);
    EXPECT_GT(take_bits(scene.server->bit_limits(*connection), scene.now.steady).bytes, 0U);  // by its carrier, still
}

}  // namespace
}  // namespace sallyport::turn
