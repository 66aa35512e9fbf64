// Refusals that signaling protocols say in clear: SIP responses (RFC 3261 section 21), LDAP results (RFC 4511 section
// 4.1.9), H.225.0 calls that are released with a cause (Q.931, Q.850), and rejects of RAS, on the call signaling
// connection (H.460.17) as well as in datagrams of their own.
#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::diagnose {

struct Refusal {
    std::string_view protocol;  // "sip", "ldap", "h225", "ras"
    int code = 0;
    std::string words;  // from outside
    bool serious = false;  // not a part of everyday life, such as a challenge or a busy line
};

/// The ports of gatekeepers: RAS in a datagram has nothing else to know it by.
constexpr bool is_ras_port(std::uint16_t port) { return port == 1718 || port == 1719; }

/// @param payload  a datagram, or a segment of TCP that begins with a message.
/// @param to_or_from_gatekeeper  a datagram to or from a port that is_ras_port().
std::optional<Refusal> glance_refusal(Bytes payload, bool to_or_from_gatekeeper = false);

}  // namespace sallyport::diagnose
