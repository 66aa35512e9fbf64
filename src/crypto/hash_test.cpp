#include "crypto/hash.hpp"

#include <gtest/gtest.h>

#include <string>

using namespace sallyport;
using namespace sallyport::crypto;

namespace {

std::string hex(Bytes bytes) {
    std::string text;
    for (const std::byte byte : bytes) {
        text += "0123456789abcdef"[std::to_integer<unsigned>(byte) >> 4];
        text += "0123456789abcdef"[std::to_integer<unsigned>(byte) & 0xF];
    }
    return text;
}

}  // namespace

TEST(Md5, MatchesTheVectorsOfRfc1321) {
    EXPECT_EQ(hex(md5({})), "d41d8cd98f00b204e9800998ecf8427e");
    EXPECT_EQ(hex(md5(as_bytes("message digest"))), "f96b697d7cb7938d525a2f31aaf161d0");
}

TEST(Sha256, MatchesTheStandardsVectors) {
    EXPECT_EQ(hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(hex(sha256(as_bytes("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(HmacSha256, MatchesTheVectorsOfRfc4231) {
    EXPECT_EQ(hex(hmac_sha256(as_bytes(std::string(20, '\x0b')), as_bytes("Hi There"))),
              "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    EXPECT_EQ(hex(hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(hex(hmac_sha256({}, {})), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(Hmac, IsThatOfRfc2202WithSha1AndDoesNotCareForPieces) {
    EXPECT_EQ(hex(hmac_sha1(as_bytes("Jefe"), {as_bytes("what do ya want for nothing?")})),
              "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    EXPECT_EQ(hmac_sha1(as_bytes("Jefe"), {as_bytes("what do ya want"), {}, as_bytes(" for nothing?")}),
              hmac_sha1(as_bytes("Jefe"), {as_bytes("what do ya want for nothing?")}));
    EXPECT_EQ(hmac_sha256(as_bytes("Jefe"), {as_bytes("what do"), as_bytes(" ya want for nothing?")}),
              hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?")));
}

TEST(Md5, IsThatOfRfc1321) {
    EXPECT_EQ(hex(md5(as_bytes("message digest"))), "f96b697d7cb7938d525a2f31aaf161d0");
    EXPECT_EQ(hex(md5({})), "d41d8cd98f00b204e9800998ecf8427e");
}

TEST(ConstantTimeEqual, ComparesWholeValues) {
    EXPECT_TRUE(constant_time_equal(as_bytes("secret"), as_bytes("secret")));
    EXPECT_FALSE(constant_time_equal(as_bytes("secret"), as_bytes("secreT")));
    EXPECT_FALSE(constant_time_equal(as_bytes("secret"), as_bytes("secre")));
    EXPECT_TRUE(constant_time_equal({}, {}));
}

TEST(FillRandom, GivesOtherBytesEachTime) {
    Sha256 one{};
    Sha256 two{};
    fill_random(one);
    fill_random(two);
    EXPECT_NE(one, two);
    EXPECT_NE(one, Sha256{});
    fill_random({});
}

TEST(Base64, IsThatOfRfc4648BothWays) {
    struct Case {
        const char* bytes;
        const char* text;
    };
    for (const Case& c : {Case{"", ""},
                          {"f", "Zg=="},
                          {"fo", "Zm8="},
                          {"foo", "Zm9v"},
                          {"foob", "Zm9vYg=="},
                          {"fooba", "Zm9vYmE="},
                          {"foobar", "Zm9vYmFy"},
                          {"\xff\xfe\xfd", "//79"}}) {
        EXPECT_EQ(to_base64(as_bytes(c.bytes)), c.text);
        const auto bytes = from_base64(c.text);
        ASSERT_TRUE(bytes) << c.text;
        EXPECT_EQ(as_text(*bytes), c.bytes);
    }
    for (const char* bad :
         {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zm 9", "Zm9v\n", "====", "Z===", "=Zg=", "Zg==Zg==", "Zm9-"}) {
        EXPECT_FALSE(from_base64(bad)) << bad;
    }
}
