#include "turn/integrity.hpp"

#include "crypto/hash.hpp"
#include "wire/stun/vectors_testing.hpp"

#include <gtest/gtest.h>

namespace sallyport::turn {
namespace {

using stun::Attribute;
using namespace stun::testing;

const std::string matrix = from_hex("E3839EE38388E383AAE38383E382AFE382B9");

std::string hex_key(PasswordAlgorithm algorithm) {
    return std::string(as_text(long_term_key(algorithm, matrix, "example.org", "TheMatrIX").view()));
}

TEST(Integrity, MakesThePublishedKeys) {
    EXPECT_EQ(hex_key(PasswordAlgorithm::md5), from_hex("E8CA7AD59D5EB0518E312911D2DAB2A9"));
    EXPECT_EQ(hex_key(PasswordAlgorithm::sha256),
              from_hex("DD295A613B9058C3C23D6DC7165BDA072304D989C9D0AF3A8C7E184B4F9BB4A1"));
}

TEST(Integrity, VerifiesThePublishedMessages) {
    struct Case {
        const char* name;
        const std::string& message;
        Attribute kind;
        std::string key;
    };
    const std::string short_term(short_term_password);
    const Case cases[] = {
        {"RFC 5769 section 2.1", request, Attribute::message_integrity, short_term},
        {"RFC 5769 section 2.2", response_v4, Attribute::message_integrity, short_term},
        {"RFC 5769 section 2.3", response_v6, Attribute::message_integrity, short_term},
        {"RFC 5769 section 2.4", long_term_request, Attribute::message_integrity, hex_key(PasswordAlgorithm::md5)},
        {"RFC 8489 appendix B.1", sha256_request, Attribute::message_integrity_sha256,
         hex_key(PasswordAlgorithm::sha256)},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        const auto message = stun::read_message(as_bytes(c.message));
        ASSERT_TRUE(message);
        EXPECT_TRUE(verify(*message, c.kind, as_bytes(c.key)));
        EXPECT_FALSE(verify(*message, c.kind, as_bytes(c.key + "x")));
        std::string changed = c.message;
        changed[8] = static_cast<char>(changed[8] ^ 1);
        EXPECT_FALSE(verify(*stun::read_message(as_bytes(changed)), c.kind, as_bytes(c.key)));
    }
}

TEST(Integrity, VerifiesWhatItSigned) {
    for (const Attribute kind : {Attribute::message_integrity, Attribute::message_integrity_sha256}) {
        std::array<std::byte, 128> room;
        stun::MessageWriter writer(room, stun::Class::success, stun::Method::refresh, {});
        writer.add_u32(Attribute::lifetime, 600);
        sign(writer, kind, as_bytes("key"));
        writer.add_fingerprint();
        const auto message = stun::read_message(*writer.finish());
        ASSERT_TRUE(message);
        EXPECT_TRUE(verify(*message, kind, as_bytes("key")));
        EXPECT_TRUE(message->has_valid_fingerprint());
        const bool is_sha1 = kind == Attribute::message_integrity;
        EXPECT_FALSE(verify(*message, is_sha1 ? Attribute::message_integrity_sha256 : Attribute::message_integrity,
                            as_bytes("key")));
    }
}

// RFC 8489 section 14.6: 16 to 32 bytes in whole words.
TEST(Integrity, TakesATruncatedSha256OfSixteenBytesAtLeast) {
    for (std::size_t size = 12; size <= 32; ++size) {
        std::array<std::byte, 128> room;
        stun::MessageWriter writer(room, stun::Class::request, stun::Method::refresh, {});
        const auto code = crypto::hmac_sha256(as_bytes("key"), writer.begin_integrity(size));
        writer.add(Attribute::message_integrity_sha256, Bytes(code).first(size));
        const auto message = stun::read_message(*writer.finish());
        ASSERT_TRUE(message);
        const bool good = size >= 16 && size % 4 == 0;
        EXPECT_EQ(verify(*message, Attribute::message_integrity_sha256, as_bytes("key")), good) << size;
        EXPECT_EQ(message->bad_attribute().has_value(), !good) << size;
    }
}

}  // namespace
}  // namespace sallyport::turn
