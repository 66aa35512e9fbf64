// The layers between a frame and its transport, each a step of decode().
#pragma once

#include "wire/packet/packet.hpp"

#include <cstddef>
#include <cstdint>

namespace sallyport::packet {

// Numbers in network order. The callers have made sure that the bytes are there.
inline std::uint8_t at8(Bytes bytes, std::size_t at) { return std::to_integer<std::uint8_t>(bytes[at]); }
inline std::uint16_t at16(Bytes bytes, std::size_t at) {
    return static_cast<std::uint16_t>(at8(bytes, at) << 8 | at8(bytes, at + 1));
}
inline std::uint32_t at32(Bytes bytes, std::size_t at) {
    return std::uint32_t{at16(bytes, at)} << 16 | at16(bytes, at + 2);
}

/// A datagram, cut to the length that its header states, and where its transport begins.
struct Datagram {
    Bytes rest;  // what was captured behind the IP headers
    std::size_t length = 0;  // bytes on the wire behind the IP headers
};

/// Takes the link headers off. Empty: no IP in it.
Bytes behind_link(std::uint16_t link_type, Bytes frame, Packet& packet);

/// Reads IPv4 or IPv6. False: neither.
bool read_ip(Bytes bytes, Packet& packet, Datagram& datagram);

/// Reads what packet.protocol names, where it is known and whole.
void read_transport(const Datagram& datagram, Packet& packet);

}  // namespace sallyport::packet
