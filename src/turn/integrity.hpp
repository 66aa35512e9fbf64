// Long-term credentials on messages (RFC 8489 sections 9.2 and 14.5 to 14.6): keys, checking, signing.
#pragma once

#include "base/bytes.hpp"
#include "wire/stun/message.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sallyport::turn {

/// RFC 8489 section 18.5.
enum class PasswordAlgorithm : std::uint16_t { md5 = 1, sha256 = 2 };

/// What a password becomes for one user of one realm.
struct Key {
    std::array<std::byte, 32> bytes{};
    std::uint8_t size = 0;
    PasswordAlgorithm algorithm = PasswordAlgorithm::md5;

    Bytes view() const { return Bytes(bytes).first(size); }
    bool operator==(const Key&) const = default;
};

Key long_term_key(PasswordAlgorithm algorithm, std::string_view user, std::string_view realm,
                  std::string_view password);

/// @param kind  message_integrity or message_integrity_sha256, which may be truncated down to 16 bytes. False also when
///              the message has none of that kind.
bool verify(const stun::Message& message, stun::Attribute kind, Bytes key);

/// Ends the message with integrity of this kind; only FINGERPRINT may follow.
void sign(stun::MessageWriter& writer, stun::Attribute kind, Bytes key);

}  // namespace sallyport::turn
