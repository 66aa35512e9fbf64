// The addresses and ports at which a session description wants its media (RFC 8866).
#pragma once

#include "base/address.hpp"

#include <string_view>
#include <vector>

namespace sallyport::diagnose {

inline constexpr std::size_t max_media = 16;
inline constexpr std::size_t max_candidates = 64;

/// Where each stream is wanted: the c= line of its m= section or of the session. Port 0 (refused) is left out.
std::vector<SocketAddress> media_of(std::string_view sdp);

/// The addresses of its ICE candidates of UDP (RFC 8839 section 5.1); names, which hide private ones, are left out.
std::vector<SocketAddress> candidates_of(std::string_view sdp);

/// Can it be reached only inside of a network: RFC 1918, RFC 6598, RFC 3927, RFC 4193, link-local, loopback?
bool is_private(const IpAddress& address);

}  // namespace sallyport::diagnose
