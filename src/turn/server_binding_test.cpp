#include "turn/server_answer.hpp"
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

// Two addresses and two ports, behind a NAT that maps the addresses one to one.
struct DiscoveryScene : Scene {
    DiscoveryScene() : Scene(with_places()) {
        world.doors = {
            {at("10.0.0.1:3478"), 1}, {at("10.0.0.1:3479"), 2}, {at("10.0.0.2:3478"), 3}, {at("10.0.0.2:3479"), 4}};
        client.link.local = at("10.0.0.1:3478");
    }
    static std::shared_ptr<Settings> with_places() {
        auto settings = make_settings();
        settings->discovery = {{{ip("10.0.0.1"), ip("10.0.0.2")}, {3478, 3479}}};
        settings->nat_map.pairs = {{ip("192.0.2.1"), ip("10.0.0.1")}, {ip("192.0.2.2"), ip("10.0.0.2")}};
        return settings;
    }
    std::optional<Response> ask(const Client::Fill& fill) { return client.ask_plain(Method::binding, fill); }

    Client client{*this, "198.51.100.7:5000"};
};

TEST(Discovery, AnswersFromTheAddressAndPortThatAreAskedFor) {
    struct Case {
        std::uint32_t change;
        std::string_view own, origin;
        std::uint32_t number;
    };
    for (const Case& c :
         {Case{0, "10.0.0.1:3478", "192.0.2.1:3478", 1}, Case{2, "10.0.0.1:3479", "192.0.2.1:3479", 2},
          Case{4, "10.0.0.2:3478", "192.0.2.2:3478", 3}, Case{6, "10.0.0.2:3479", "192.0.2.2:3479", 4}}) {
        DiscoveryScene scene;
        const auto response = scene.ask([&](auto& writer) { writer.add_u32(Attribute::change_request, c.change); });
        ASSERT_TRUE(response);
        EXPECT_EQ(scene.world.last_link.local, at(c.own));
        EXPECT_EQ(scene.world.last_link.number, c.number);
        EXPECT_EQ(response->message.address(Attribute::response_origin), at(c.origin));
        EXPECT_EQ(response->message.address(Attribute::other_address), at("192.0.2.2:3479"));
        EXPECT_EQ(response->message.address(Attribute::mapped_address), scene.client.link.client);
        EXPECT_EQ(response->message.address(Attribute::xor_mapped_address), scene.client.link.client);
    }
}

TEST(Discovery, CallsOtherWhatDiffersInAddressAndPort) {
    DiscoveryScene scene;
    scene.client.link.local = at("10.0.0.2:3479");
    EXPECT_EQ(scene.ask({})->message.address(Attribute::other_address), at("192.0.2.1:3478"));
    const auto changed = scene.ask([](auto& writer) { writer.add_u32(Attribute::change_request, 6); });
    EXPECT_EQ(changed->message.address(Attribute::response_origin), at("192.0.2.1:3478"));
    EXPECT_EQ(scene.world.last_link.number, 1U);
}

TEST(Discovery, IsNotOfferedElsewhere) {
    DiscoveryScene scene;
    scene.client.link.local = at("10.0.0.3:3478");
    EXPECT_EQ(scene.ask({})->bytes.size(), 32U);
    scene.client.link = {at("198.51.100.7:5000"), at("10.0.0.1:3478"), 1, Transport::tcp};
    EXPECT_EQ(scene.ask([](auto& writer) { writer.add_u32(Attribute::change_request, 6); })->error(), 420U);
}

TEST(Discovery, AnswersToAnotherPortOfTheSameClient) {
    DiscoveryScene scene;
    EXPECT_FALSE(scene.ask([](auto& writer) { writer.add_u32(Attribute::response_port, 6000U << 16); }));
    EXPECT_EQ(scene.world.last_link.client, at("198.51.100.7:6000"));
    EXPECT_EQ(scene.world.take(at("198.51.100.7:6000")).size(), 1U);
    EXPECT_EQ(scene.ask([](auto& writer) { writer.add_u32(Attribute::response_port, 0); })->error(), 400U);
}

TEST(Discovery, PadsAnswersWithNoMoreThanCame) {
    DiscoveryScene scene;
    const std::string padding(1200, 'x');
    const auto response = scene.ask([&](auto& writer) { writer.add(Attribute::padding, padding); });
    EXPECT_EQ(response->message.value(Attribute::padding).size(), 1200U);
    const std::string much(1800, 'x');
    const auto most = scene.ask([&](auto& writer) { writer.add(Attribute::padding, much); });
    EXPECT_EQ(most->message.value(Attribute::padding).size(), most_padding);
    const auto both = scene.ask([&](auto& writer) {
        writer.add(Attribute::padding, padding);
        writer.add_u32(Attribute::response_port, 6000U << 16);
    });
    EXPECT_EQ(both->error(), 400U);
}

struct InsideScene : Scene {
    InsideScene() : Scene(with_nat()) {}
    static std::shared_ptr<Settings> with_nat() {
        auto settings = make_settings();
        settings->kernel_nat = {*Network::parse("10.9.0.0/16")};
        return settings;
    }
    std::optional<SocketAddress> told(Client& client) {
        const auto all = world.take(client.link.client);
        if (all.empty()) return std::nullopt;
        return Response(all.front()).message.address(Attribute::xor_mapped_address);
    }
};

TEST(InsideClient, IsToldWhatTheKernelMakesOfItsAddress) {
    InsideScene scene;
    Client client(scene, "10.9.0.2:5000");
    EXPECT_FALSE(client.ask_plain(Method::binding));
    ASSERT_EQ(scene.world.held_bindings.size(), 1U);
    scene.server->answer_held(scene.world.held_bindings[0], at("198.51.100.1:61000"));
    EXPECT_EQ(scene.told(client), at("198.51.100.1:61000"));
}

TEST(InsideClient, IsToldWhatIsSeenWhereTheKernelHasNoMapping) {
    InsideScene scene;
    Client client(scene, "10.9.0.2:5000");
    client.ask_plain(Method::binding);
    scene.server->answer_held(scene.world.held_bindings[0], std::nullopt);
    EXPECT_EQ(scene.told(client), client.link.client);
    scene.world.most_held = 0;
    EXPECT_EQ(client.ask_plain(Method::binding)->message.address(Attribute::xor_mapped_address), client.link.client);
}

TEST(InsideClient, IsWhoeverComesByUdpFromTheNetworksNamed) {
    InsideScene scene;
    Client outside(scene, "198.51.100.7:5000");
    EXPECT_TRUE(outside.ask_plain(Method::binding));
    Client by_tcp(scene, "10.9.0.2:5000");
    by_tcp.link.transport = Transport::tcp;
    EXPECT_TRUE(by_tcp.ask_plain(Method::binding));
    Client odd(scene, "10.9.0.2:5000");
    EXPECT_EQ(
        odd.ask_plain(Method::binding, [](auto& writer) { writer.add_u32(Attribute::change_request, 4); })->error(),
        420U);
    EXPECT_TRUE(scene.world.held_bindings.empty());
}

// A request of RFC 3489: sixteen bytes of transaction, of which none are the magic cookie.
std::string classic_request(std::optional<std::uint32_t> change = {}) {
    std::array<std::byte, 64> room;
    stun::TransactionId rest{};
    stun::MessageWriter writer(room, Class::request, Method::binding, rest, 0x01020304);
    if (change) writer.add_u32(Attribute::change_request, *change);
    return std::string(as_text(*writer.finish()));
}

std::string classic_answer(DiscoveryScene& scene, const std::string& request) {
    scene.client.send(request);
    const auto answers = scene.world.take(scene.client.link.client);
    return answers.size() == 1 ? answers.front() : "";
}

TEST(Classic, ClientsAreAnsweredInTheirOwnTerms) {
    DiscoveryScene scene;
    const std::string bytes = classic_answer(scene, classic_request(6));
    const auto answer = stun::read_message(as_bytes(bytes), stun::Classic::yes);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->cookie(), 0x01020304U);
    EXPECT_EQ(answer->address(Attribute::mapped_address), scene.client.link.client);
    EXPECT_EQ(answer->address(Attribute::source_address), at("192.0.2.2:3479"));
    EXPECT_EQ(answer->address(Attribute::changed_address), at("192.0.2.2:3479"));
    EXPECT_FALSE(answer->has(Attribute::xor_mapped_address));
}

TEST(Classic, ClientsLearnTheirAddressWhereNothingCanBeChanged) {
    DiscoveryScene scene;
    scene.client.link.local = at("10.0.0.3:3478");
    for (const auto& request : {classic_request(), classic_request(0)}) {
        const std::string bytes = classic_answer(scene, request);
        EXPECT_EQ(bytes.size(), 32U);
        const auto answer = stun::read_message(as_bytes(bytes), stun::Classic::yes);
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->address(Attribute::mapped_address), scene.client.link.client);
    }
    const std::string refused = classic_answer(scene, classic_request(4));
    EXPECT_EQ(stun::read_message(as_bytes(refused), stun::Classic::yes)->kind(), Class::error);
}

TEST(Classic, ClientsCanAskForNothingElse) {
    DiscoveryScene scene;
    std::array<std::byte, 64> room;
    stun::MessageWriter writer(room, Class::request, Method::allocate, {}, 0x01020304);
    EXPECT_EQ(classic_answer(scene, std::string(as_text(*writer.finish()))), "");
    scene.client.link.transport = Transport::tcp;
    EXPECT_EQ(classic_answer(scene, classic_request()), "");
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
