#include "turn/nonces.hpp"

#include "base/bytes.hpp"
#include "base/text.hpp"
#include "crypto/hash.hpp"

#include <algorithm>
#include <optional>

namespace sallyport::turn {

namespace {

constexpr std::size_t time_digits = 8;
constexpr std::string_view hex_digits = "0123456789abcdef";

std::uint32_t seconds_of(WallTime time) {
    return static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count());
}

}  // namespace

Nonces::Nonces() { crypto::fill_random(key_); }

Nonces::Text Nonces::make(const SocketAddress& client, WallTime now) const { return make(client, seconds_of(now)); }

// The cookie, the features, eight digits of time, sixteen of the code.
Nonces::Text Nonces::make(const SocketAddress& client, std::uint32_t seconds) const {
    const std::array<std::byte, 6> stamp{
        static_cast<std::byte>(seconds >> 24),    static_cast<std::byte>(seconds >> 16),
        static_cast<std::byte>(seconds >> 8),     static_cast<std::byte>(seconds),
        static_cast<std::byte>(client.port >> 8), static_cast<std::byte>(client.port)};
    const auto code = crypto::hmac_sha256(key_, {Bytes(stamp), std::as_bytes(std::span(client.ip.bytes()))});
    Text out;
    auto at = std::ranges::copy(nonce_cookie, out.begin()).out;
    at = std::ranges::copy(nonce_features, at).out;
    const auto put = [&at](std::byte byte) {
        *at++ = hex_digits[std::to_integer<std::size_t>(byte) >> 4];
        *at++ = hex_digits[std::to_integer<std::size_t>(byte) & 0xF];
    };
    std::ranges::for_each(Bytes(stamp).first(4), put);
    std::ranges::for_each(Bytes(code).first(8), put);
    return out;
}

bool Nonces::is_valid(std::string_view nonce, const SocketAddress& client, WallTime now) const {
    if (nonce.size() != size) return false;
    const auto made =
        parse_number<std::uint32_t>(nonce.substr(nonce_cookie.size() + nonce_features.size(), time_digits), 16);
    if (!made) return false;
    const std::uint32_t age = seconds_of(now) - *made;
    const Text ours = make(client, *made);
    return crypto::constant_time_equal(as_bytes(nonce), as_bytes({ours.data(), ours.size()})) &&
           age <= static_cast<std::uint32_t>(lifetime.count());
}

bool Nonces::offers_algorithms(std::string_view nonce) {
    return nonce.starts_with(nonce_cookie) && nonce.substr(nonce_cookie.size()).starts_with(nonce_features);
}

}  // namespace sallyport::turn
