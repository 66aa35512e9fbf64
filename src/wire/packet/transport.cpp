// TCP (RFC 9293), UDP (RFC 768), ICMP (RFC 792, RFC 4443).
#include "wire/packet/layers.hpp"

#include <algorithm>

namespace sallyport::packet {

namespace {

constexpr std::size_t tcp_head = 20, udp_head = 8, icmp_head = 8;  // bytes
constexpr std::uint8_t option_end = 0, option_none = 1, option_maximum_segment = 2;

void read_options(Bytes options, Tcp& tcp) {
    while (!options.empty() && at8(options, 0) != option_end) {
        if (at8(options, 0) == option_none) {
            options = options.subspan(1);
            continue;
        }
        if (options.size() < 2) return;
        const std::size_t length = at8(options, 1);
        if (length < 2 || length > options.size()) return;
        if (at8(options, 0) == option_maximum_segment && length == 4) tcp.maximum_segment = at16(options, 2);
        options = options.subspan(length);
    }
}

void read_tcp(const Datagram& datagram, Packet& packet) {
    const Bytes bytes = datagram.rest;
    if (bytes.size() < tcp_head) return;
    const std::size_t head = std::size_t{4} * (at8(bytes, 12) >> 4);
    if (head < tcp_head || head > datagram.length) return;
    packet.source_port = at16(bytes, 0);
    packet.destination_port = at16(bytes, 2);
    packet.checksum = at16(bytes, 16);
    Tcp& tcp = packet.tcp;
    tcp.sequence = at32(bytes, 4);
    tcp.acknowledgment = at32(bytes, 8);
    tcp.flags = at8(bytes, 13);
    tcp.window = at16(bytes, 14);
    const std::size_t captured = std::min(head, bytes.size());
    if (tcp.has(flag::syn)) read_options(bytes.first(captured).subspan(tcp_head), tcp);
    packet.payload_length = static_cast<std::uint32_t>(datagram.length - head);
    packet.payload = bytes.subspan(captured);
    packet.transport = true;
}

void read_udp(const Datagram& datagram, Packet& packet) {
    const Bytes bytes = datagram.rest;
    if (bytes.size() < udp_head) return;
    packet.source_port = at16(bytes, 0);
    packet.destination_port = at16(bytes, 2);
    packet.checksum = at16(bytes, 6);
    // What IP and UDP say of the length may differ: the smaller holds. In fragments UDP's is that of the whole.
    const std::size_t stated = std::max<std::size_t>(at16(bytes, 4), udp_head);
    const std::size_t length = std::min(stated, datagram.length) - udp_head;
    packet.payload_length = static_cast<std::uint32_t>(length);
    packet.payload = bytes.subspan(udp_head).first(std::min(length, bytes.size() - udp_head));
    packet.transport = true;
}

bool is_error(const Packet& packet) {
    const auto type = packet.icmp.type;
    if (packet.protocol == protocol::icmp_v6) return type < 128 && type != 0;
    return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

void read_quoted(Bytes bytes, Icmp& icmp) {
    Packet inner;
    Datagram datagram;
    if (!read_ip(bytes, inner, datagram) || inner.later_fragment || datagram.rest.size() < 8) return;
    icmp.quoted = {.source = inner.source, .destination = inner.destination, .protocol = inner.protocol};
    if (inner.protocol == protocol::tcp || inner.protocol == protocol::udp) {
        icmp.quoted.source_port = at16(datagram.rest, 0);
        icmp.quoted.destination_port = at16(datagram.rest, 2);
        icmp.quoted.sequence = at32(datagram.rest, 4);
    }
    icmp.quotes = true;
}

void read_icmp(const Datagram& datagram, Packet& packet) {
    const Bytes bytes = datagram.rest;
    if (bytes.size() < icmp_head) return;
    packet.icmp.type = at8(bytes, 0);
    packet.icmp.code = at8(bytes, 1);
    packet.payload = bytes.subspan(icmp_head);
    packet.payload_length = static_cast<std::uint32_t>(datagram.length - std::min(datagram.length, icmp_head));
    packet.transport = true;
    if (!is_error(packet)) return;
    if (packet.protocol == protocol::icmp && packet.icmp.type == 3 && packet.icmp.code == 4) {
        packet.icmp.mtu = at16(bytes, 6);
    }
    if (packet.protocol == protocol::icmp_v6 && packet.icmp.type == 2) packet.icmp.mtu = at32(bytes, 4);
    read_quoted(packet.payload, packet.icmp);
}

}  // namespace

void read_transport(const Datagram& datagram, Packet& packet) {
    if (packet.later_fragment) return;
    switch (packet.protocol) {
        case protocol::tcp: read_tcp(datagram, packet); return;
        case protocol::udp: read_udp(datagram, packet); return;
        case protocol::icmp:
        case protocol::icmp_v6: read_icmp(datagram, packet); return;
        default: return;
    }
}

}  // namespace sallyport::packet
