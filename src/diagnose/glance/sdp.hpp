// The addresses and ports at which a session description wants its media (RFC 8866).
#pragma once

#include "base/address.hpp"

#include <string_view>
#include <vector>

namespace sallyport::diagnose {

inline constexpr std::size_t max_media = 16;

/// Where each stream is wanted: the c= line of its m= section or of the session. Port 0 (refused) is left out.
std::vector<SocketAddress> media_of(std::string_view sdp);

/// Can it be reached only inside of a network: RFC 1918, RFC 6598, RFC 3927, RFC 4193, link-local, loopback?
bool is_private(const IpAddress& address);

}  // namespace sallyport::diagnose
