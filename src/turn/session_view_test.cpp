#include "turn/session_view.hpp"

#include "turn/testing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sallyport::turn {
namespace {

using namespace testing;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<SessionView> sessions(Scene& scene) { return look_at_sessions(*scene.server, scene.now, 100); }

TEST(SessionView, ShowsWhoRelaysWhereAndHowMuchWhileItRuns) {
    auto settings = make_settings({.own = {ip("198.18.0.1"), ip("203.0.113.10")}});
    settings->nat_map.pairs = {{ip("203.0.113.10"), ip("198.18.0.1")}};
    Scene scene(settings);
    Client client(scene, "192.0.2.7:5000");
    client.allocate();
    client.bind(0x4000, "8.8.8.8:1");
    client.permit({"8.8.4.4:0"});
    client.send_channel(0x4000, "12345");
    scene.pass(7s);
    const auto views = sessions(scene);
    ASSERT_THAT(views, SizeIs(1));
    EXPECT_EQ(views[0].client, client.link.client);
    EXPECT_EQ(views[0].user, "alice");
    EXPECT_THAT(views[0].relays, ::testing::ElementsAre(client.relay));
    EXPECT_EQ(views[0].relays[0].ip, ip("203.0.113.10"));
    EXPECT_EQ(views[0].lasted, 7U);
    EXPECT_EQ(views[0].idle, 7U);
    EXPECT_EQ(views[0].left, 593U);
    EXPECT_EQ(views[0].packets_in, 1U);
    EXPECT_EQ(views[0].bytes_in, 5U);
    EXPECT_EQ(views[0].bytes_out, 0U);
    EXPECT_THAT(views[0].hint, IsEmpty());
    ASSERT_THAT(views[0].peers, SizeIs(2));  // the channel's own permission is not told again
    EXPECT_EQ(views[0].peers[0].address, at("8.8.8.8:1"));
    EXPECT_EQ(views[0].peers[0].channel, 0x4000);
    EXPECT_EQ(views[0].peers[0].left, 593);
    EXPECT_EQ(views[0].peers[1].address, at("8.8.4.4:0"));
    EXPECT_EQ(views[0].peers[1].left, 293);
}

TEST(SessionView, HintsAtAPermissionThatAClientForgotToRefresh) {
    Scene scene;
    Client client(scene, "192.0.2.7:5000");
    client.allocate();
    client.permit({"8.8.8.8:0"});
    scene.pass(301s);
    EXPECT_THAT(sessions(scene)[0].hint, IsEmpty());  // nobody misses it
    scene.world.peer_sends(*scene.server, at("8.8.8.8:1"), client.relay, "late", scene.now);
    const auto views = sessions(scene);
    EXPECT_EQ(views[0].dropped, 1U);
    EXPECT_EQ(views[0].peers[0].left, -1);
    EXPECT_THAT(views[0].hint,
                HasSubstr("permission expired: the client has not refreshed the one for 8.8.8.8 for 301 s"));
    client.permit({"8.8.8.8:0"});
    EXPECT_THAT(sessions(scene)[0].hint, IsEmpty());
}

TEST(SessionView, HintsAtAPermissionThatEndedBeforeItsChannel) {
    Scene scene;
    Client client(scene, "192.0.2.7:5000");
    client.allocate();
    client.bind(0x4000, "8.8.8.8:1");
    scene.pass(400s);
    scene.world.peer_sends(*scene.server, at("8.8.8.8:1"), client.relay, "late", scene.now);
    const auto views = sessions(scene);
    ASSERT_THAT(views[0].peers, SizeIs(2));
    EXPECT_EQ(views[0].peers[0].left, 200);
    EXPECT_EQ(views[0].peers[1].left, -100);
    EXPECT_THAT(views[0].hint, HasSubstr("8.8.8.8 for 400 s"));
}

TEST(SessionView, ShowsWhatPassesByTcpWhileItPasses) {
    auto settings = make_settings();
    settings->tcp_relays = true;
    Scene scene(settings);
    Client client(scene, "192.0.2.7:5000");
    client.link.transport = Transport::tcp;
    ASSERT_TRUE(client.allocate({}, 6).is_success());
    client.try_ask(Method::connect,
                   [](auto& writer) { writer.add_address(Attribute::xor_peer_address, at("8.8.8.8:80")); });
    const auto connection = scene.world.dialed.at(0).connection;
    scene.server->connected(connection, scene.world.dialed[0].id, scene.world.new_socket(at("8.8.8.8:80")), scene.now);
    ASSERT_TRUE(connection->take());
    scene.pass(7s);
    EXPECT_EQ(sessions(scene)[0].idle, 7U);
    connection->bytes_in = 70;
    connection->bytes_out = 900;
    scene.pass(1s);
    const auto views = sessions(scene);
    EXPECT_EQ(views[0].bytes_in, 70U);
    EXPECT_EQ(views[0].bytes_out, 900U);
    EXPECT_EQ(views[0].idle, 0U);
    connection->end();
    scene.pass(5s);
    EXPECT_EQ(sessions(scene)[0].bytes_out, 900U);
    EXPECT_EQ(sessions(scene)[0].idle, 5U);
}

TEST(SessionView, LooksAtNoMoreThanItIsAskedFor) {
    Scene scene;
    std::vector<Client> clients;
    for (int i = 0; i < 3; ++i) {
        clients.emplace_back(scene, "192.0.2.7:" + std::to_string(5000 + i));
        clients.back().allocate();
    }
    EXPECT_THAT(look_at_sessions(*scene.server, scene.now, 2), SizeIs(2));
}

}  // namespace
}  // namespace sallyport::turn
