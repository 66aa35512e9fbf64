// What a gateway says to an H.323 endpoint in a gatekeeper's place: that a registration or a call is refused.
//
// Each is a whole TPKT, written into room that the caller owns, and fits into max_answer.
#pragma once

#include "base/bytes.hpp"
#include "wire/h323/q931.hpp"
#include "wire/h323/ras.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sallyport::h323 {

inline constexpr std::size_t max_display = 80;  // octets of text that a Display element carries here
inline constexpr std::size_t max_answer = 256;  // octets
using AnswerRoom = std::array<std::byte, max_answer>;

/// A GatekeeperReject to a GatekeeperRequest, a RegistrationReject to a RegistrationRequest, with its number, in a
/// Facility message as H.460.17 has it.
/// @param request  the Q.931 message that brought it.
/// @param reason   of gatekeeper_reject_reason or registration_reject_reason: one that carries no value of its own.
/// @param display  ASCII for people; the rest beyond max_display is cut off.
Bytes write_ras_reject(AnswerRoom& room, const Q931Message& request, const RasMessage& ras, std::uint8_t reason,
                       std::string_view display);

/// Ends the call that a message belongs to, with its call reference.
/// @param reason  of release_complete_reason: one that carries no value of its own.
/// @param cause   Q.850, 0 to 127.
Bytes write_release_complete(AnswerRoom& room, const Q931Message& request, std::uint8_t reason, std::uint8_t cause,
                             std::string_view display);

}  // namespace sallyport::h323
