#include "diagnose/glance/h245.hpp"

#include "diagnose/glance/sdp.hpp"

namespace sallyport::diagnose {

namespace {

constexpr std::size_t message_head = 4;  // bytes: TPKT
constexpr std::size_t address_size = 6;

std::uint8_t octet(Bytes bytes, std::size_t at) { return std::to_integer<std::uint8_t>(bytes[at]); }

// The first octets of networks that are private, so that no more is done for the others.
bool may_be_private(std::uint8_t first) { return first == 10 || first == 100 || first == 172 || first == 192; }

}  // namespace

std::vector<SocketAddress> private_addresses_of(Bytes segment) {
    std::vector<SocketAddress> out;
    if (segment.size() < message_head || octet(segment, 0) != 3 || octet(segment, 1) != 0) return out;
    for (std::size_t at = message_head; at + address_size <= segment.size(); ++at) {
        if (!may_be_private(octet(segment, at))) continue;
        const auto ip =
            IpAddress::v4(std::uint32_t{octet(segment, at)} << 24 | std::uint32_t{octet(segment, at + 1)} << 16 |
                          std::uint32_t{octet(segment, at + 2)} << 8 | octet(segment, at + 3));
        const auto port = static_cast<std::uint16_t>(octet(segment, at + 4) << 8 | octet(segment, at + 5));
        if (port < lowest_media_port || !is_private(ip)) continue;
        out.push_back({ip, port});
        if (out.size() == max_addresses_of_segment) break;
    }
    return out;
}

}  // namespace sallyport::diagnose
