// How a refusal is told in LDAP.
#pragma once

#include "telemetry/reason.hpp"
#include "wire/ldap/answer.hpp"
#include "wire/ldap/message.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace sallyport::gate::ldap {

/// The result code for a reason (RFC 4511 appendix A).
std::int32_t result_code(telemetry::Reason reason);

/// For the diagnosticMessage: why, and what would be accepted. Never names a target or another service.
/// @param detail  what was wrong with the request, for people; may be empty
std::string diagnostic(telemetry::Reason reason, std::string_view detail);

}  // namespace sallyport::gate::ldap
