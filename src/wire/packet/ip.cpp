// IPv4 (RFC 791) and IPv6 with its extension headers (RFC 8200).
#include "wire/packet/layers.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace sallyport::packet {

namespace {

constexpr std::size_t v4_head = 20, v6_head = 40;  // bytes, without options
constexpr unsigned max_extensions = 8;
constexpr std::uint8_t hop_by_hop = 0, routing = 43, fragment = 44, authentication = 51, destination_options = 60;

IpAddress v6_address(Bytes bytes) {
    std::array<std::uint8_t, 16> raw{};
    std::memcpy(raw.data(), bytes.data(), raw.size());
    return IpAddress::v6(raw);
}

Fragment part_of(const Datagram& datagram, std::uint32_t offset, bool more, std::uint8_t protocol) {
    return {.offset = offset,
            .length = static_cast<std::uint32_t>(datagram.length),
            .protocol = protocol,
            .more = more,
            .bytes = datagram.rest};
}

bool read_v4(Bytes bytes, Packet& packet, Datagram& datagram) {
    if (bytes.size() < v4_head) return false;
    const std::size_t head = std::size_t{4} * (at8(bytes, 0) & 0x0F);
    std::size_t total = at16(bytes, 2);
    if (total == 0) total = bytes.size();  // segmentation offload: the card would have filled it in
    if (head < v4_head || total < head || bytes.size() < head) return false;
    const auto fragmentation = at16(bytes, 6);
    packet.identification = at16(bytes, 4);
    packet.dont_fragment = (fragmentation & 0x4000) != 0;
    packet.later_fragment = (fragmentation & 0x1FFF) != 0;
    packet.fragment = packet.later_fragment || (fragmentation & 0x2000) != 0;
    packet.time_to_live = at8(bytes, 8);
    packet.protocol = at8(bytes, 9);
    packet.source = IpAddress::v4(at32(bytes, 12));
    packet.destination = IpAddress::v4(at32(bytes, 16));
    datagram.length = total - head;
    datagram.rest = bytes.first(std::min(total, bytes.size())).subspan(head);
    if (packet.fragment) {
        packet.part = part_of(datagram, std::uint32_t{8} * (fragmentation & 0x1FFF), (fragmentation & 0x2000) != 0,
                              packet.protocol);
    }
    return true;
}

// Walks over the extension headers to the transport. False: they end in nothing, or there are too many.
bool pass_extensions(std::uint8_t next, Packet& packet, Datagram& datagram) {
    std::uint32_t offset = 0;  // of a fragment, with its flags
    for (unsigned passed = 0; passed <= max_extensions; ++passed) {
        const Bytes rest = datagram.rest;
        packet.protocol = next;
        std::size_t length = 8;  // bytes of this header
        if (next == hop_by_hop || next == routing || next == destination_options) {
            if (rest.size() < 8) return false;
            length = 8 + std::size_t{8} * at8(rest, 1);
        } else if (next == authentication) {
            if (rest.size() < 8) return false;
            length = 8 + std::size_t{4} * at8(rest, 1);
        } else if (next == fragment) {
            if (rest.size() < 8) return false;
            offset = at16(rest, 2);
            packet.fragment = (offset & 0xFFF9) != 0;  // offset or "more": else one whole, an atomic fragment
            packet.later_fragment = (offset & 0xFFF8) != 0;
            packet.identification = at32(rest, 4);
        } else {
            return true;
        }
        if (rest.size() < length || datagram.length < length) return false;
        next = at8(rest, 0);
        datagram.rest = rest.subspan(length);
        datagram.length -= length;
        if (packet.fragment && packet.protocol == fragment) {
            packet.part = part_of(datagram, offset & 0xFFF8, (offset & 1) != 0, next);
        }
        if (packet.later_fragment) return packet.protocol = next, true;
    }
    return false;
}

bool read_v6(Bytes bytes, Packet& packet, Datagram& datagram) {
    if (bytes.size() < v6_head) return false;
    packet.dont_fragment = true;
    packet.time_to_live = at8(bytes, 7);
    packet.source = v6_address(bytes.subspan(8, 16));
    packet.destination = v6_address(bytes.subspan(24, 16));
    std::size_t length = at16(bytes, 4);
    if (length == 0) length = bytes.size() - v6_head;  // offload, or a jumbogram, which nobody sends
    datagram.length = length;
    datagram.rest = bytes.subspan(v6_head).first(std::min(length, bytes.size() - v6_head));
    return pass_extensions(at8(bytes, 6), packet, datagram);
}

}  // namespace

bool read_ip(Bytes bytes, Packet& packet, Datagram& datagram) {
    if (bytes.empty()) return false;
    switch (at8(bytes, 0) >> 4) {
        case 4: return read_v4(bytes, packet, datagram);
        case 6: return read_v6(bytes, packet, datagram);
        default: return false;
    }
}

bool decode(std::uint16_t link_type, Bytes frame, Packet& packet) {
    packet = {};
    Datagram datagram;
    if (!read_ip(behind_link(link_type, frame, packet), packet, datagram)) return false;
    read_transport(datagram, packet);
    return true;
}

bool read_whole(Bytes datagram, Packet& packet) {
    const std::uint8_t begins_with = packet.part.protocol;
    packet.part = {};
    packet.fragment = packet.later_fragment = packet.transport = false;
    packet.protocol = begins_with;
    Datagram whole{.rest = datagram, .length = datagram.size()};
    if (!packet.source.is_v4() && !pass_extensions(begins_with, packet, whole)) return false;
    if (packet.fragment) return false;
    read_transport(whole, packet);
    return true;
}

}  // namespace sallyport::packet
