#include "turn/testing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sallyport::turn {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(Challenge, HasRealmNonceAndAlgorithmsAndCostsNoMemory) {
    Scene scene;
    for (std::uint32_t i = 0; i < 100'000; ++i) {
        Client client(scene, "192.0.2.7:1");
        client.link.client.port = static_cast<std::uint16_t>(i);
        client.link.client.ip = IpAddress::v4(0xC0000200 + i / 50'000);
        const auto response = client.ask_plain(Method::allocate);
        ASSERT_EQ(response->error(), 401U);
        scene.world.inboxes.clear();
        if (i != 0) continue;
        EXPECT_EQ(response->message.text(Attribute::realm), "example.com");
        EXPECT_TRUE(response->message.text(Attribute::nonce).starts_with("obMatJos2"));
        EXPECT_EQ(response->message.value(Attribute::password_algorithms).size(), 8U);
        EXPECT_FALSE(response->message.has(Attribute::software));
        EXPECT_LE(response->bytes.size(), 120U);
    }
    EXPECT_EQ(scene.server->allocations(), 0U);
    EXPECT_EQ(scene.shared->quotas.users(), 0U);
    EXPECT_EQ(scene.shared->live.size(), 0U);
}

TEST(Challenge, IsNotSentToOneSourceTooOften) {
    auto settings = make_settings();
    settings->challenges_per_second = 5;
    Scene scene(settings);
    Client client(scene, "192.0.2.7:1");
    int answered = 0;
    for (int i = 0; i < 50; ++i) answered += client.ask_plain(Method::allocate) ? 1 : 0;
    EXPECT_EQ(answered, 5);
    EXPECT_EQ(scene.server->tally().muted.value(), 45U);
}

TEST(Challenge, OfWrongCredentialsIsToldNoOftenerThanItIsSent) {
    auto settings = make_settings();
    settings->challenges_per_second = 5;
    Scene scene(settings);
    Client client(scene, "192.0.2.7:1", "alice", "wrong");
    client.take_challenge(*client.ask_plain(Method::allocate));
    for (int i = 0; i < 50; ++i) client.ask_signed(Method::refresh, {});
    EXPECT_THAT(scene.world.stories, SizeIs(4));
    EXPECT_THAT(scene.world.suspects, SizeIs(4));
}

TEST(Credentials, OfEitherAlgorithmAndIntegrityOpenAndTheAnswerIsSignedAlike) {
    for (const auto algorithm : {PasswordAlgorithm::md5, PasswordAlgorithm::sha256}) {
        for (const auto integrity : {Attribute::message_integrity, Attribute::message_integrity_sha256}) {
            Scene scene;
            Client client(scene, "192.0.2.7:1");
            client.algorithm = algorithm;
            client.integrity = integrity;
            const auto response = client.allocate();
            ASSERT_TRUE(response.is_success());
            EXPECT_TRUE(verify(response.message, integrity, client.key().view()));
            EXPECT_TRUE(client.refresh().is_success());
        }
    }
}

TEST(Credentials, OfATimeLimitedNameOpenUntilTheirTimeIsOverAndServeTheAllocationOn) {
    Scene scene;
    const std::string user = "1800000060:carol";
    Client client(scene, "192.0.2.7:1", user, time_limited_password(user, "shared", SecretHash::sha1));
    ASSERT_TRUE(client.allocate().is_success());
    scene.pass(61s);
    EXPECT_TRUE(client.refresh().is_success());
    Client late(scene, "192.0.2.7:2", user, client.password);
    EXPECT_EQ(late.allocate().error(), 401U);

    auto strict = make_settings();
    strict->refresh_after_expiry = false;
    scene.server->adopt(strict);
    EXPECT_EQ(client.refresh().error(), 401U);
}

TEST(Credentials, MayNameTheUserByItsHash) {
    Scene scene;
    Client client(scene, "192.0.2.7:1");
    client.algorithm = PasswordAlgorithm::sha256;
    client.integrity = Attribute::message_integrity_sha256;
    client.take_challenge(*client.ask_plain(Method::allocate));
    const auto hash = crypto::sha256(as_bytes("alice:example.com"));
    const auto response = client.ask_plain(Method::allocate, [&](stun::MessageWriter& writer) {
        writer.add_u32(Attribute::requested_transport, 17U << 24);
        writer.add(Attribute::userhash, Bytes(hash));
        writer.add(Attribute::realm, client.realm);
        writer.add(Attribute::nonce, client.nonce);
        writer.add(Attribute::password_algorithms, client.algorithms);
        writer.add_u32(Attribute::password_algorithm, 0x00020000);
        sign(writer, client.integrity, client.key().view());
    });
    EXPECT_TRUE(response->is_success());
    EXPECT_EQ(client.allocation()->user, "alice");
}

TEST(Credentials, ThatAreWrongAreRefusedToldAndSuspicious) {
    struct Case {
        const char* user;
        const char* password;
        const char* detail;
    };
    for (const Case& c : {Case{"alice", "wrong", "wrong password"},
                          Case{"nobody", "secret", "unknown user, or a time-limited one whose time is over"}}) {
        Scene scene;
        Client client(scene, "192.0.2.7:1", c.user, c.password);
        EXPECT_EQ(client.allocate().error(), 401U);
        EXPECT_THAT(scene.world.suspects, ElementsAre(client.link.client));
        ASSERT_THAT(scene.world.stories, SizeIs(1));
        EXPECT_EQ(scene.world.stories[0].reason, "turn.credentials");
        EXPECT_EQ(scene.world.stories[0].user, c.user);
        EXPECT_EQ(scene.world.stories[0].detail, c.detail);
        EXPECT_EQ(scene.server->allocations(), 0U);
    }
}

// RFC 8489 section 9.2.4.
TEST(Credentials, ThatLackAPartAreABadRequest) {
    const Attribute parts[] = {Attribute::username, Attribute::realm, Attribute::nonce};
    for (const Attribute lacks : parts) {
        Scene scene;
        Client client(scene, "192.0.2.7:1");
        client.take_challenge(*client.ask_plain(Method::allocate));
        const auto response = client.ask_plain(Method::allocate, [&](stun::MessageWriter& writer) {
            if (lacks != Attribute::username) writer.add(Attribute::username, client.user);
            if (lacks != Attribute::realm) writer.add(Attribute::realm, client.realm);
            if (lacks != Attribute::nonce) writer.add(Attribute::nonce, client.nonce);
            sign(writer, client.integrity, client.key().view());
        });
        EXPECT_EQ(response->error(), 400U) << row_of(lacks).name;
        EXPECT_THAT(scene.world.suspects, IsEmpty());
    }
}

TEST(Credentials, OfAlgorithmsThatWereNotOfferedAreABadRequest) {
    struct Case {
        const char* name;
        std::optional<std::string> all;
        std::optional<std::uint32_t> one;
        unsigned error;  // 0: none
    };
    const std::string offered("\0\2\0\0\0\1\0\0", 8);
    const Case cases[] = {
        {"neither: MD5 is meant", {}, {}, 0},
        {"both", offered, 0x00010000, 0},
        {"one lacks", offered, {}, 400},
        {"all lack", {}, 0x00010000, 400},
        {"fewer than offered: somebody took the better one away", offered.substr(4), 0x00010000, 400},
        {"an unknown one", offered, 0x00070000, 400},
        {"with parameters", offered, 0x00010004, 400},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        Scene scene;
        Client client(scene, "192.0.2.7:1");
        client.take_challenge(*client.ask_plain(Method::allocate));
        const auto response = client.ask_plain(Method::allocate, [&](stun::MessageWriter& writer) {
            writer.add_u32(Attribute::requested_transport, 17U << 24);
            writer.add(Attribute::username, client.user);
            writer.add(Attribute::realm, client.realm);
            writer.add(Attribute::nonce, client.nonce);
            if (c.all) writer.add(Attribute::password_algorithms, *c.all);
            if (c.one) writer.add_u32(Attribute::password_algorithm, *c.one);
            sign(writer, client.integrity, client.key().view());
        });
        EXPECT_EQ(response->error(), c.error);
    }
}

TEST(Credentials, WithAnotherClientsOrAnOldNonceAreAskedAgain) {
    Scene scene;
    Client one(scene, "192.0.2.7:1");
    ASSERT_TRUE(one.allocate().is_success());
    Client other(scene, "192.0.2.7:2");
    other.realm = one.realm;
    other.nonce = one.nonce;
    const auto stale = other.ask_signed(Method::allocate, {});
    EXPECT_EQ(stale->error(), 438U);
    EXPECT_TRUE(stale->message.has(Attribute::nonce));
    for (int i = 0; i < 10; ++i) {
        scene.pass(9min);
        EXPECT_TRUE(one.refresh().is_success());
    }
    scene.pass(9min);
    EXPECT_THAT(scene.world.suspects, IsEmpty());
}

TEST(Credentials, OfAnotherRealmAreAskedAgainWithoutSuspicion) {
    Scene scene;
    Client client(scene, "192.0.2.7:1");
    client.take_challenge(*client.ask_plain(Method::allocate));
    client.realm = "example.net";
    EXPECT_EQ(client.ask_signed(Method::allocate, {})->error(), 401U);
    EXPECT_THAT(scene.world.suspects, IsEmpty());
}

TEST(Credentials, OfAnotherUserDoNotReachAnAllocation) {
    Scene scene;
    Client alice(scene, "192.0.2.7:1");
    ASSERT_TRUE(alice.allocate().is_success());
    Client bob(scene, "192.0.2.7:1", "bob", "word");
    bob.transaction = 1000;
    EXPECT_EQ(bob.refresh().error(), 441U);
    EXPECT_EQ(bob.permit({"8.8.8.8:1"}).error(), 441U);
    EXPECT_EQ(bob.allocate().error(), 437U);
    EXPECT_TRUE(alice.refresh().is_success());
}

TEST(Credentials, ThatAReloadTookAwayServeTheirAllocationsOn) {
    Scene scene;
    Client client(scene, "192.0.2.7:1");
    ASSERT_TRUE(client.allocate().is_success());
    scene.server->adopt(make_settings({.accounts = {{"bob", "word"}}, .secrets = {}, .own = {}}));
    EXPECT_TRUE(client.refresh().is_success());
    EXPECT_EQ(Client(scene, "192.0.2.7:2").allocate().error(), 401U);
}

// libjuice's clients send no name.
TEST(Credentials, ThatAReloadTookAwayServeTheAllocationOfAHashedNameOn) {
    Scene scene;
    Client client(scene, "192.0.2.7:1");
    ASSERT_TRUE(client.allocate().is_success());
    const auto hash = crypto::sha256(as_bytes("alice:example.com"));
    const auto refresh = [&] {
        return client.ask_plain(Method::refresh, [&](stun::MessageWriter& writer) {
            writer.add(Attribute::userhash, Bytes(hash));
            writer.add(Attribute::realm, client.realm);
            writer.add(Attribute::nonce, client.nonce);
            sign(writer, client.integrity, client.key().view());
        });
    };
    EXPECT_TRUE(refresh()->is_success());
    const std::vector<Credentials::Account> reloads[] = {{{"bob", "word"}}, {{"alice", "another"}}};
    for (const auto& accounts : reloads) {
        scene.server->adopt(make_settings({.accounts = accounts, .secrets = {}, .own = {}}));
        EXPECT_TRUE(refresh()->is_success());
    }
    EXPECT_THAT(scene.world.suspects, IsEmpty());
}

TEST(Credentials, OfANewRealmServeAnAllocationOfTheOldOne) {
    Scene scene;
    Client client(scene, "192.0.2.7:1");
    ASSERT_TRUE(client.allocate().is_success());
    auto renamed = make_settings();
    renamed->credentials = {"example.net", {{"alice", "secret"}}, {}};
    scene.server->adopt(renamed);
    EXPECT_TRUE(client.refresh().is_success());
    EXPECT_EQ(client.realm, "example.net");
    EXPECT_THAT(scene.world.suspects, IsEmpty());
}

TEST(Server, AnswersNoAllocateOfABannedClientAndLetsItsCallsGoOn) {
    Scene scene;
    Client client(scene, "192.0.2.7:1");
    client.allocate();
    scene.world.banned = {ip("192.0.2.7")};
    EXPECT_TRUE(client.refresh().is_success());
    EXPECT_FALSE(Client(scene, "192.0.2.7:2").ask_plain(Method::allocate));
    EXPECT_EQ(scene.world.begun, 1U);
    // Nor anything else that could be known only to fail, and would fill the log.
    for (const Method method : {Method::refresh, Method::create_permission, Method::connection_bind})
        EXPECT_FALSE(Client(scene, "192.0.2.7:2").ask_plain(method));
}

TEST(Server, RefusesRequiredAttributesThatItDoesNotKnow) {
    Scene scene;
    Client client(scene, "192.0.2.7:1");
    const auto response = client.ask(Method::allocate, [](auto& writer) { writer.add_u32(Attribute::padding, 0); });
    EXPECT_EQ(response.error(), 420U);
    EXPECT_EQ(response.message.number(Attribute::unknown_attributes, 2), 0x0026U);
    EXPECT_TRUE(verify(response.message, client.integrity, client.key().view()));
}

}  // namespace
}  // namespace sallyport::turn
