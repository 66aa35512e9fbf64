// Link headers: from the frame to the IP header.
#include "wire/packet/layers.hpp"

#include <algorithm>

namespace sallyport::packet {

namespace {

constexpr std::uint16_t type_ipv4 = 0x0800, type_ipv6 = 0x86DD;
constexpr std::uint16_t type_vlan = 0x8100, type_service_vlan = 0x88A8, type_old_qinq = 0x9100;
constexpr std::uint16_t type_pppoe = 0x8864;
constexpr std::uint16_t ppp_ipv4 = 0x0021, ppp_ipv6 = 0x0057;
constexpr unsigned max_tags = 8;  // VLAN tags one within the other

// PPPoE (RFC 2516 section 4): six bytes, then the PPP protocol.
Bytes behind_pppoe(Bytes rest) {
    if (rest.size() < 8) return {};
    const auto protocol = at16(rest, 6);
    return protocol == ppp_ipv4 || protocol == ppp_ipv6 ? rest.subspan(8) : Bytes{};
}

// `type` is the EtherType and `rest` what follows it.
Bytes behind_type(std::uint16_t type, Bytes rest, Packet& packet) {
    for (unsigned tags = 0; tags <= max_tags; ++tags) {
        if (type == type_ipv4 || type == type_ipv6) return rest;
        if (type == type_pppoe) return behind_pppoe(rest);
        if (type != type_vlan && type != type_service_vlan && type != type_old_qinq) return {};
        if (rest.size() < 4) return {};
        type = at16(rest, 2);
        rest = rest.subspan(4);
        ++packet.vlans;
    }
    return {};
}

Bytes behind_typed(Bytes frame, std::size_t type_at, std::size_t head, Packet& packet) {
    if (frame.size() < head) return {};
    return behind_type(at16(frame, type_at), frame.subspan(head), packet);
}

// The messages of NFLOG: a head of four bytes, then type-length-value; the packet is the one of type 9. Lengths are in
// the byte order of the host, of which all that write NFLOG today are little-endian.
Bytes behind_nflog(Bytes frame) {
    constexpr std::uint16_t payload_type = 9;
    if (frame.size() < 4) return {};
    frame = frame.subspan(4);
    while (frame.size() >= 4) {
        const std::size_t length = std::size_t{at8(frame, 0)} | std::size_t{at8(frame, 1)} << 8;
        const auto type = static_cast<unsigned>(at8(frame, 2) | at8(frame, 3) << 8);
        if (length < 4 || length > frame.size()) return {};
        if (type == payload_type) return frame.subspan(4, length - 4);
        frame = frame.subspan(std::min(frame.size(), (length + 3) & ~std::size_t{3}));
    }
    return {};
}

}  // namespace

bool is_known(std::uint16_t link_type) {
    switch (static_cast<LinkType>(link_type)) {
        case LinkType::null:
        case LinkType::ethernet:
        case LinkType::raw_bsd:
        case LinkType::raw_openbsd:
        case LinkType::raw:
        case LinkType::loop:
        case LinkType::linux_cooked:
        case LinkType::ipv4:
        case LinkType::ipv6:
        case LinkType::nflog:
        case LinkType::linux_cooked_2: return true;
    }
    return false;
}

Bytes behind_link(std::uint16_t link_type, Bytes frame, Packet& packet) {
    switch (static_cast<LinkType>(link_type)) {
        case LinkType::ethernet: return behind_typed(frame, 12, 14, packet);
        case LinkType::linux_cooked: return behind_typed(frame, 14, 16, packet);
        case LinkType::linux_cooked_2: return behind_typed(frame, 0, 20, packet);
        case LinkType::null:
        case LinkType::loop:
            // Families differ between systems; the first nibble of IP does not.
            return frame.size() < 4 ? Bytes{} : frame.subspan(4);
        case LinkType::raw_bsd:
        case LinkType::raw_openbsd:
        case LinkType::raw:
        case LinkType::ipv4:
        case LinkType::ipv6: return frame;
        case LinkType::nflog: return behind_nflog(frame);
    }
    return {};
}

}  // namespace sallyport::packet
