#include "turn/testing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sallyport::turn {
namespace {

using namespace testing;
using ::testing::IsEmpty;

TEST(Binding, IsAnsweredIn32BytesWithTheAddressAlone) {
    Scene scene;
    Client client(scene, "192.0.2.7:5000");
    const auto response = client.ask_plain(Method::binding);
    ASSERT_TRUE(response);
    EXPECT_TRUE(response->is_success());
    EXPECT_EQ(response->bytes.size(), 32U);
    EXPECT_EQ(response->message.address(Attribute::xor_mapped_address), client.link.client);
    Client v6(scene, "[2001:db8::7]:5000");
    EXPECT_EQ(v6.ask_plain(Method::binding)->message.address(Attribute::xor_mapped_address), v6.link.client);
}

TEST(Binding, HasAFingerprintOnlyWhereTheRequestHasOne) {
    Scene scene;
    Client client(scene, "192.0.2.7:5000");
    const auto response = client.ask_plain(Method::binding, [](auto& writer) { writer.add_fingerprint(); });
    EXPECT_TRUE(response->message.has_valid_fingerprint());
    EXPECT_EQ(response->bytes.size(), 40U);
}

TEST(Binding, IsNotAnsweredWhenTheFingerprintIsWrong) {
    Scene scene;
    Client client(scene, "192.0.2.7:5000");
    EXPECT_FALSE(client.ask_plain(Method::binding, [](auto& writer) { writer.add_u32(Attribute::fingerprint, 1); }));
    EXPECT_EQ(scene.server->tally().malformed.value(), 1U);
}

TEST(Binding, NamesWhatItDoesNotKnow) {
    Scene scene;
    Client client(scene, "192.0.2.7:5000");
    const auto response =
        client.ask_plain(Method::binding, [](auto& writer) { writer.add_u32(Attribute::change_request, 4); });
    EXPECT_EQ(response->error(), 420U);
    EXPECT_EQ(response->message.number(Attribute::unknown_attributes, 2), 0x0003U);
}

TEST(Binding, OfOneSourceIsAnsweredSoOftenASecondAndNoMore) {
    auto settings = make_settings();
    settings->bindings_per_second = 10;
    Scene scene(settings);
    std::size_t answered = 0;
    for (std::uint16_t port = 1000; port < 1100; ++port) {
        Client client(scene, "192.0.2.7:" + std::to_string(port));
        if (client.ask_plain(Method::binding)) ++answered;
    }
    EXPECT_EQ(answered, 10U);
    EXPECT_EQ(scene.server->tally().muted.value(), 90U);
    EXPECT_TRUE(Client(scene, "192.0.2.8:1").ask_plain(Method::binding));
    scene.pass(1s);
    EXPECT_TRUE(Client(scene, "192.0.2.7:1").ask_plain(Method::binding));
}

TEST(Server, OnASocketForStunAloneAnswersNothingElse) {
    Scene scene;
    Client client(scene, "192.0.2.7:5000");
    client.relays = false;
    EXPECT_TRUE(client.ask_plain(Method::binding));
    EXPECT_FALSE(client.ask_plain(Method::allocate));
}

TEST(Server, AnswersNothingToWhatIsNoRequest) {
    Scene scene;
    Client client(scene, "192.0.2.7:5000");
    for (const Class kind : {Class::indication, Class::success, Class::error}) {
        for (const Method method : {Method::binding, Method::allocate, Method::send, Method::data})
            client.ask_plain(method, {}, kind);
    }
    client.send("");
    client.send(std::string(20, '\0'));
    client.send("GET / HTTP/1.1\r\n\r\n");
    client.send("\x80\x01");
    EXPECT_THAT(scene.world.take(client.link.client), IsEmpty());
}

}  // namespace
}  // namespace sallyport::turn
