// One response in the making; part of server.cpp and its siblings.
#pragma once

#include "turn/server.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace sallyport::turn {

/// The longest PADDING of an answer: an Ethernet frame's worth, so that it leaves in fragments (RFC 5780 section 7.6).
inline constexpr std::size_t most_padding = 1500;

/// Comprehension-required attributes that the table of all knows, and that no method but Binding serves.
inline constexpr std::array unserved{stun::Attribute::change_request, stun::Attribute::padding,
                                     stun::Attribute::response_port};

/// The attributes of a request that its sender must learn are not served (RFC 8489 section 6.3.1).
struct Unknown {
    std::array<std::uint16_t, stun::Message::most_unknown + unserved.size()> codes;
    std::size_t count = 0;

    Unknown(const stun::Message& message, std::span<const stun::Attribute> also) {
        for (const std::uint16_t code : message.unknown()) codes[count++] = code;
        for (const stun::Attribute attribute : also) {
            if (message.has(attribute)) codes[count++] = stun::row_of(attribute).code;
        }
    }
    std::span<const std::uint16_t> all() const { return std::span(codes).first(count); }
};

class Server::Answer {
public:
    Answer(const Call& call, stun::Class kind)
        : writer(room_, kind, call.message.method(), call.message.transaction(), call.message.cookie()) {}

    /// Of a request that is gone, or of none.
    Answer(stun::Class kind, stun::Method method, const stun::TransactionId& transaction,
           std::uint32_t cookie = stun::magic_cookie)
        : writer(room_, kind, method, transaction, cookie) {}

private:
    // A realm of any length that the configuration takes, and all the rest; or a padding, and little else.
    std::array<std::byte, most_padding + 128> room_;

public:
    stun::MessageWriter writer;
};

/// The number of an address family in attributes (RFC 8489 section 14.1).
inline constexpr std::uint8_t family_v4 = 1;
inline constexpr std::uint8_t family_v6 = 2;

}  // namespace sallyport::turn
