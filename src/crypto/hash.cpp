#include "crypto/hash.hpp"

#include "crypto/openssl.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <stdexcept>

namespace sallyport::crypto {

namespace {

constexpr std::string_view base64_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const unsigned char* data_of(Bytes bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }
unsigned char* room_of(MutableBytes bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

[[noreturn]] void broken(const char* what) { throw std::runtime_error(std::string(what) + ": " + last_error()); }

int checked_int(std::size_t size) {
    if (size > std::size_t{std::numeric_limits<int>::max()}) throw std::length_error("too long for OpenSSL");
    return static_cast<int>(size);
}

// An empty key is valid, but a null pointer would mean "the last key again".
const unsigned char* key_data(Bytes key) {
    return key.empty() ? reinterpret_cast<const unsigned char*>("") : data_of(key);
}

struct FreeMac {
    void operator()(EVP_MAC* mac) const { EVP_MAC_free(mac); }
    void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};

template <class Digest>
Digest hmac(const char* hash, Bytes key, std::initializer_list<Bytes> pieces) {
    // Fetching is dear and what it gives is never written to again: once is enough for all threads.
    static const std::unique_ptr<EVP_MAC, FreeMac> mac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
    const std::unique_ptr<EVP_MAC_CTX, FreeMac> context(EVP_MAC_CTX_new(mac.get()));
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, const_cast<char*>(hash), 0),
        OSSL_PARAM_construct_end()};
    if (!context || EVP_MAC_init(context.get(), key_data(key), key.size(), parameters) != 1) broken("HMAC");
    for (const Bytes piece : pieces) {
        if (EVP_MAC_update(context.get(), data_of(piece), piece.size()) != 1) broken("HMAC");
    }
    Digest digest;
    if (EVP_MAC_final(context.get(), room_of(digest), nullptr, digest.size()) != 1) broken("HMAC");
    return digest;
}

}  // namespace

Md5 md5(Bytes message) {
    Md5 digest;
    if (EVP_Digest(data_of(message), message.size(), room_of(digest), nullptr, EVP_md5(), nullptr) != 1) broken("MD5");
    return digest;
}

Sha256 sha256(Bytes message) {
    Sha256 digest;
    if (EVP_Digest(data_of(message), message.size(), room_of(digest), nullptr, EVP_sha256(), nullptr) != 1)
        broken("SHA-256");
    return digest;
}

Sha256 hmac_sha256(Bytes key, Bytes message) { return hmac<Sha256>("SHA256", key, {message}); }
Sha256 hmac_sha256(Bytes key, std::initializer_list<Bytes> pieces) { return hmac<Sha256>("SHA256", key, pieces); }
Sha1 hmac_sha1(Bytes key, std::initializer_list<Bytes> pieces) { return hmac<Sha1>("SHA1", key, pieces); }

bool constant_time_equal(Bytes a, Bytes b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void fill_random(MutableBytes room) {
    if (RAND_bytes(room_of(room), checked_int(room.size())) != 1) broken("random bytes");
}

std::string to_base64(Bytes bytes) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        const Bytes group = bytes.subspan(at, std::min<std::size_t>(3, bytes.size() - at));
        unsigned bits = 0;
        for (std::size_t i = 0; i < 3; ++i)
            bits = bits << 8 | (i < group.size() ? std::to_integer<unsigned>(group[i]) : 0U);
        for (std::size_t i = 0; i < 4; ++i) {
            text += i <= group.size() ? base64_digits[bits >> (18 - 6 * i) & 0x3F] : '=';
        }
    }
    return text;
}

std::optional<std::vector<std::byte>> from_base64(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
    text.remove_suffix(padding);
    std::vector<std::byte> bytes;
    unsigned bits = 0;
    unsigned held = 0;  // bits read and not yet given out
    for (const char digit : text) {
        const auto value = base64_digits.find(digit);
        if (value == std::string_view::npos) return std::nullopt;
        bits = (bits << 6 | static_cast<unsigned>(value)) & 0xFFFF;
        held += 6;
        if (held < 8) continue;
        held -= 8;
        bytes.push_back(static_cast<std::byte>(bits >> held & 0xFF));
    }
    const bool bits_left_over = (bits & ((1U << held) - 1)) != 0;
    if (bits_left_over) return std::nullopt;
    return bytes;
}

}  // namespace sallyport::crypto
