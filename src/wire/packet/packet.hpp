// One captured frame, read down to its transport: link headers, VLAN tags, IPv4 and IPv6 with its extension headers,
// TCP, UDP, ICMP and what an ICMP error quotes. Views into the frame; nothing is allocated, nothing is looked up.
//
// A frame may have been cut by the capture. What is missing reads as absent; lengths on the wire are those that the IP
// header states.
#pragma once

#include "base/address.hpp"
#include "base/bytes.hpp"

#include <cstdint>

namespace sallyport::packet {

/// LINKTYPE_ numbers, as capture files have them.
enum class LinkType : std::uint16_t {
    null = 0,  // BSD loopback: the address family in the host's byte order
    ethernet = 1,
    raw_bsd = 12,  // LINKTYPE_RAW as some systems write it
    raw_openbsd = 14,
    raw = 101,
    loop = 108,  // OpenBSD loopback: the address family in network order
    linux_cooked = 113,
    ipv4 = 228,
    ipv6 = 229,
    nflog = 239,
    linux_cooked_2 = 276,
};

/// Can frames of this link type be read?
bool is_known(std::uint16_t link_type);

namespace protocol {
inline constexpr std::uint8_t icmp = 1, tcp = 6, udp = 17, icmp_v6 = 58;
}

/// Flags of TCP (RFC 9293 section 3.1).
namespace flag {
inline constexpr std::uint8_t fin = 0x01, syn = 0x02, rst = 0x04, psh = 0x08, ack = 0x10;
}

struct Tcp {
    std::uint32_t sequence = 0;
    std::uint32_t acknowledgment = 0;
    std::uint8_t flags = 0;
    std::uint16_t window = 0;
    std::uint16_t maximum_segment = 0;  // bytes, the option of a SYN (RFC 9293 section 3.7.1); 0: none

    bool has(std::uint8_t all) const { return (flags & all) == all; }
};

/// What an ICMP error says it is about: the head of a packet that its sender has sent. Eight bytes of the transport
/// are enough (RFC 792).
struct Quoted {
    IpAddress source, destination;
    std::uint8_t protocol = 0;
    std::uint16_t source_port = 0, destination_port = 0;
    std::uint32_t sequence = 0;  // of TCP
};

struct Icmp {
    std::uint8_t type = 0;
    std::uint8_t code = 0;
    std::uint32_t mtu = 0;  // bytes: of "fragmentation needed" (RFC 1191) and "packet too big" (RFC 4443 section 3.2)
    bool quotes = false;  // `quoted` is filled
    Quoted quoted;
};

/// A part of a datagram, as far as this packet carries it.
struct Fragment {
    std::uint32_t offset = 0;  // bytes of the datagram in front of it
    std::uint32_t length = 0;  // bytes of it on the wire
    std::uint8_t protocol = 0;  // what the whole begins with: of IPv6 perhaps an extension header
    bool more = false;  // it is not the last
    Bytes bytes;  // those that were captured
};

struct Packet {
    IpAddress source, destination;
    std::uint16_t source_port = 0, destination_port = 0;  // of TCP and UDP; 0 in fragments behind the first
    std::uint8_t protocol = 0;  // the transport's number (IANA), behind all extension headers
    std::uint8_t time_to_live = 0;  // or hop limit
    bool dont_fragment = false;  // always so for IPv6
    bool fragment = false;  // a part of a datagram
    bool later_fragment = false;  // not the first part: there is no transport header
    bool transport = false;  // the transport header is there and whole
    std::uint16_t vlans = 0;  // tags that were read
    std::uint32_t identification = 0;  // of IPv4, or of an IPv6 fragment
    std::uint16_t checksum = 0;  // of TCP or UDP, as sent
    std::uint32_t payload_length = 0;  // bytes on the wire behind the transport header
    Bytes payload;  // those that were captured
    Tcp tcp;
    Icmp icmp;
    Fragment part;  // where `fragment`
};

/// @return false where the frame carries no IP, or too little of it.
bool decode(std::uint16_t link_type, Bytes frame, Packet& packet);

/// Reads the transport of a datagram that came in fragments.
/// @param packet  the first of them, which then stands for the whole; its views are into `datagram`.
/// @return false where there is nothing behind the extension headers of IPv6, or another fragment in it.
bool read_whole(Bytes datagram, Packet& packet);

}  // namespace sallyport::packet
