// H323-UserInformation (H.225.0 section 7.3): what a Q.931 message carries in its User-user element.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "wire/h323/value.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace sallyport::h323 {

/// The alternatives of h323-message-body that this program looks at, by their index.
namespace body {
inline constexpr std::uint8_t setup = 0;
inline constexpr std::uint8_t release_complete = 5;
inline constexpr std::uint8_t facility = 6;
inline constexpr std::uint8_t empty = 8;
}  // namespace body

/// ReleaseCompleteReason; those behind the "..." count on.
namespace release_complete_reason {
inline constexpr std::uint8_t gatekeeper_resources = 1;
inline constexpr std::uint8_t unreachable_destination = 2;
inline constexpr std::uint8_t no_permission = 5;
inline constexpr std::uint8_t unreachable_gatekeeper = 6;
inline constexpr std::uint8_t undefined_reason = 11;
inline constexpr std::uint8_t security_denied = 13;
inline constexpr std::uint8_t called_party_not_registered = 14;
inline constexpr std::uint8_t caller_not_registered = 15;
inline constexpr std::uint8_t security_error = 23;
}  // namespace release_complete_reason

struct UserInformation {
    std::uint8_t body = body::empty;  // index in h323-message-body; those behind the "..." count on
    std::vector<Alias> destination;  // destinationAddress of a Setup
    std::optional<std::uint8_t> release_reason;
    std::vector<Bytes> ras;  // RasMessages of H.460.17, each to be read by read_ras(): views into what was given
};

/// "noPermission"; empty for what H.225.0 does not know.
std::string_view release_reason_name(std::uint8_t reason);

/// @param encoding  Q931Message::h225
Result<UserInformation, ReadError> read_user_information(Bytes encoding);

}  // namespace sallyport::h323
