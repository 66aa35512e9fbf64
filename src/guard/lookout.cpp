#include "guard/lookout.hpp"

#include "base/bytes.hpp"
#include "crypto/hash.hpp"

#include <cstring>
#include <string>

namespace sallyport::guard {

namespace {

std::array<std::byte, 32> random_key() {
    std::array<std::byte, 32> key;
    crypto::fill_random(key);
    return key;
}

}  // namespace

std::uint64_t credential_hash(std::string_view user, std::string_view secret) {
    static const std::array<std::byte, 32> key = random_key();
    // The length in front keeps "ab" + "c" from "a" + "bc".
    std::string both = std::to_string(user.size()) + ':';
    both.append(user).append(secret);
    const crypto::Sha256 digest = crypto::hmac_sha256(key, as_bytes(both));
    std::uint64_t hash = 0;
    std::memcpy(&hash, digest.data(), sizeof hash);
    return hash | 1;
}

}  // namespace sallyport::guard
