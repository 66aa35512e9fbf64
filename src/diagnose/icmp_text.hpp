// ICMP errors in words (RFC 792, RFC 1812 section 5.2.7, RFC 4443 section 3).
#pragma once

#include "diagnose/flow.hpp"

#include <string>

namespace sallyport::diagnose {

/// "ICMP port unreachable (3/3)".
std::string icmp_text(const IcmpError& error);

/// Does it refuse a connection: an unreachable of any kind but "fragmentation needed".
bool is_reject(const IcmpError& error);
/// Does it say that a packet was too large for the way?
bool is_too_big(const IcmpError& error);

}  // namespace sallyport::diagnose
