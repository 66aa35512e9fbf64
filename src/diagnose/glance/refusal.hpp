// Refusals that signaling protocols say in clear: SIP responses (RFC 3261 section 21), LDAP results (RFC 4511 section
// 4.1.9), H.225 call signaling that is released with a cause (Q.931, Q.850).
#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::diagnose {

struct Refusal {
    std::string_view protocol;  // "sip", "ldap", "h225"
    int code = 0;
    std::string words;  // from outside
    bool serious = false;  // not a part of everyday life, such as a challenge or a busy line
};

/// @param payload  a datagram, or a segment of TCP that begins with a message.
std::optional<Refusal> glance_refusal(Bytes payload);

}  // namespace sallyport::diagnose
