#include "turn/credentials.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace sallyport::turn {
namespace {

const WallTime now{std::chrono::seconds(1'800'000'000)};

Credentials made(SecretHash hash = SecretHash::sha1) {
    return {"example.com", {{"alice", "secret"}, {"1900000000:account", "plain"}}, {{"old", "new"}, hash}};
}

bool opens(const Credentials& credentials, const std::string& user, const std::string& password,
           PasswordAlgorithm algorithm = PasswordAlgorithm::md5) {
    const auto found = credentials.find(user, algorithm, now);
    return found &&
           std::ranges::find(found->keys, long_term_key(algorithm, user, "example.com", password)) != found->keys.end();
}

TEST(Credentials, KnowAccountsByBothAlgorithms) {
    for (const auto algorithm : {PasswordAlgorithm::md5, PasswordAlgorithm::sha256}) {
        EXPECT_TRUE(opens(made(), "alice", "secret", algorithm));
        EXPECT_FALSE(opens(made(), "alice", "Secret", algorithm));
        EXPECT_FALSE(opens(made(), "bob", "secret", algorithm));
        EXPECT_FALSE(opens(made(), "", "", algorithm));
    }
}

TEST(Credentials, TakeTextsAsTheirProfileSays) {
    const Credentials composed("ex\xC3\xA4mple", {{"Andre\xCC\x81", "e\xCC\x81t\xC3\xA9"}}, {});
    EXPECT_EQ(composed.realm(), Credentials("exa\xCC\x88mple", {}, {}).realm());
    const auto found = composed.find("Andr\xC3\xA9", PasswordAlgorithm::md5, now);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->keys.front(),
              long_term_key(PasswordAlgorithm::md5, "Andr\xC3\xA9", "ex\xC3\xA4mple", "\xC3\xA9t\xC3\xA9"));
    const Credentials credentials("example.com",
                                  {{"al\xC2\xA0ice",
                                    "\xE3\x80\x80se\xE2\x80\x82"
                                    "cr\xC3\xA9t\xE2\x80\x8B"}},
                                  {});
    EXPECT_TRUE(opens(credentials, "al ice", " se cr\xC3\xA9t\xE2\x80\x8B"));  // U+200B is no space
    EXPECT_FALSE(opens(credentials, "al\xC2\xA0ice", " se cr\xC3\xA9t\xE2\x80\x8B"));
}

// As Nextcloud Talk, Synapse, Jitsi and LiveKit make them.
TEST(Credentials, KnowTimeLimitedOnesOfEverySecretUntilTheirTimeIsOver) {
    EXPECT_EQ(time_limited_password("1900000000:bob", "new", SecretHash::sha1), "xnk/cnVYUiX0LQTRKEUtHI1trEs=");
    for (const auto hash : {SecretHash::sha1, SecretHash::sha256}) {
        for (const char* secret : {"old", "new"}) {
            for (const char* user : {"1900000000:bob", "1900000000", "1800000001:bob"})
                EXPECT_TRUE(opens(made(hash), user, time_limited_password(user, secret, hash))) << user;
            for (const char* user : {"1800000000:bob", "1700000000", "bob", "x:bob", "-1:bob", ":bob", ""})
                EXPECT_FALSE(opens(made(hash), user, time_limited_password(user, secret, hash))) << user;
        }
        EXPECT_FALSE(opens(made(hash), "1900000000:bob", time_limited_password("1900000000:bob", "other", hash)));
    }
    EXPECT_FALSE(opens(made(), "1900000000:bob", time_limited_password("1900000000:bob", "new", SecretHash::sha256)));
}

TEST(Credentials, WithoutSecretsNobodyIsKnownByAName) {
    const Credentials none("example.com", {{"alice", "secret"}}, {});
    const std::string user = "1900000000:bob";
    EXPECT_FALSE(none.find(user, PasswordAlgorithm::md5, now));
    EXPECT_FALSE(none.empty());
    EXPECT_TRUE(Credentials("example.com", {}, {}).empty());
}

TEST(Credentials, CountTimeLimitedNamesByWhatFollowsTheTime) {
    const auto quota_of = [](const char* user) { return made().find(user, PasswordAlgorithm::md5, now)->quota_of; };
    EXPECT_EQ(quota_of("1900000000:bob"), "bob");
    EXPECT_EQ(quota_of("1900000001:bob"), "bob");
    EXPECT_EQ(quota_of("1900000000"), "1900000000");
    EXPECT_EQ(quota_of("1900000000:"), "1900000000:");
    EXPECT_EQ(quota_of("alice"), "alice");
}

TEST(Credentials, FindAccountsByTheHashOfTheirName) {
    const auto hash = crypto::sha256(as_bytes("alice:example.com"));
    const auto found = made().find_hashed(as_text(hash), PasswordAlgorithm::sha256);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->user, "alice");
    EXPECT_EQ(found->keys.front(), long_term_key(PasswordAlgorithm::sha256, "alice", "example.com", "secret"));
    EXPECT_FALSE(made().find_hashed(std::string(32, 'x'), PasswordAlgorithm::sha256));
    EXPECT_FALSE(made().find_hashed("", PasswordAlgorithm::sha256));
}

}  // namespace
}  // namespace sallyport::turn
