// Q.931, as H.225.0 section 7.2 uses it: a call reference, a message type, and information elements, one of which
// carries H.225.0's own message.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sallyport::h323 {

/// Message types (Q.931 section 4.4) that this program sends or looks at.
namespace q931 {
inline constexpr std::uint8_t alerting = 0x01;
inline constexpr std::uint8_t call_proceeding = 0x02;
inline constexpr std::uint8_t progress = 0x03;
inline constexpr std::uint8_t setup = 0x05;
inline constexpr std::uint8_t connect = 0x07;
inline constexpr std::uint8_t release_complete = 0x5A;
inline constexpr std::uint8_t facility = 0x62;
}  // namespace q931

/// Information elements (section 4.5).
namespace element {
inline constexpr std::uint8_t cause = 0x08;
inline constexpr std::uint8_t facility = 0x1C;
inline constexpr std::uint8_t display = 0x28;
inline constexpr std::uint8_t user_user = 0x7E;
}  // namespace element

inline constexpr std::uint8_t q931_discriminator = 0x08;
inline constexpr std::uint8_t h225_discriminator = 0x05;  // in front of what is in a User-user element
inline constexpr std::size_t max_call_reference = 2;  // octets

struct Q931Message {
    std::uint8_t type = 0;
    Bytes call_reference;  // 0 to 2 octets as they came; the first bit says that the called side speaks
    std::optional<std::uint8_t> cause;
    std::optional<Bytes> h225;  // the encoding of an H323-UserInformation; nothing: it carries none
};

enum class Q931Error : std::uint8_t {
    not_q931,  // another protocol discriminator
    bad_call_reference,  // more than two octets
    bad_type,
    beyond_end,  // an element is longer than what is left of the message
    empty_user_user,
    several_user_user,
};
std::string_view text(Q931Error error);

/// Reads a whole message, the contents of a TPKT. The views are into it.
/// @param message  filled as far as it goes also where it fails: who answers needs the call reference.
Result<void, Q931Error> read_q931(Bytes bytes, Q931Message& message);

/// The message type, as soon as it is there; nothing where it is not, or where this is no Q.931.
std::optional<std::uint8_t> peek_q931_type(Bytes beginning);

}  // namespace sallyport::h323
