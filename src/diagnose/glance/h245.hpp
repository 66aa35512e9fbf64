// Private addresses in messages of H.245 and H.225.0, wherever they stand in them: on a connection of its own,
// tunnelled, or in a fast start.
//
// A transport address is encoded as four octets of IPv4 address and two of port, on whole octets (H.245 annex A,
// X.691). Anything else may look like one, so that one means something only beside media that is sent just there.
#pragma once

#include "base/address.hpp"
#include "base/bytes.hpp"

#include <vector>

namespace sallyport::diagnose {

inline constexpr std::size_t max_addresses_of_segment = 64;
inline constexpr std::uint16_t lowest_media_port = 1024;

/// @param segment  of TCP; none where it does not begin with a message (RFC 1006).
std::vector<SocketAddress> private_addresses_of(Bytes segment);

}  // namespace sallyport::diagnose
