// How findings speak: numbers, endpoints, places, rules. One place, so that all of them sound alike.
#pragma once

#include "diagnose/finding.hpp"
#include "diagnose/scene.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace sallyport::diagnose {

/// "20.02 s", "24 ms".
std::string seconds_text(double seconds);
/// "0, 1.01, 3.02 s": seconds since the first.
std::string times_text(std::span<const Time> times);
/// "3 SYNs", "1 SYN".
std::string count_text(std::size_t count, std::string_view one, std::string_view many);
/// "packets 1, 2, 3 and 9 more".
std::string packets_text(std::span<const PacketNumber> packets);
/// "198.51.100.10 port 1935 (RTMP)".
std::string endpoint_text(const IpAddress& address, std::uint16_t port);
/// What usually listens on a port: "RTMP"; empty: nothing known.
std::string_view service_of(std::uint16_t port);

/// What a capture taken there can't know about a packet that got no answer.
std::string silence_vantage(Place place);
Confidence silence_confidence(Place place);

/// A rule that refuses the port at once by a TCP reset, for the hook that the packets pass: input where the server
/// itself was captured, forward where a gateway in between was.
Fix reject_fix(const IpAddress& server, std::uint16_t port, Place place);
/// A rule that lets it through. @param protocol  "tcp" or "udp"
Fix accept_fix(const IpAddress& server, std::uint16_t port, std::string_view protocol, Place place);

}  // namespace sallyport::diagnose
