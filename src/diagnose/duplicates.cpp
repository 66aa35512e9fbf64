#include "diagnose/duplicates.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string_view>

namespace sallyport::diagnose {

namespace {

constexpr Time window = 2'000'000;  // nanoseconds

std::uint64_t stir(std::uint64_t print, std::uint64_t value) {
    print = (print ^ value) * 0x9E3779B97F4A7C15;
    return print ^ print >> 32;
}

std::uint64_t stir(std::uint64_t print, const IpAddress& address) {
    std::uint64_t half = 0;
    std::memcpy(&half, address.bytes().data(), 8);
    print = stir(print, half);
    std::memcpy(&half, address.bytes().data() + 8, 8);
    return stir(print, half);
}

// The checksum stands for the payload; but what a host sends itself has none yet where its card makes them, and UDP has
// no sequence numbers. Its first bytes are those of message and transaction ids.
std::uint64_t print_of(const packet::Packet& packet) {
    std::uint64_t print = stir(stir(packet.protocol, packet.source), packet.destination);
    print = stir(print, std::uint64_t{packet.source_port} << 48 | std::uint64_t{packet.destination_port} << 32 |
                            packet.identification);
    print = stir(print, std::uint64_t{packet.tcp.sequence} << 32 | packet.tcp.acknowledgment);
    if (packet.protocol == packet::protocol::udp) {
        const Bytes first = packet.payload.first(std::min<std::size_t>(packet.payload.size(), 32));
        print = stir(print, std::hash<std::string_view>()(as_text(first)));
    }
    if (packet.fragment) {  // behind the first there is no checksum
        print = stir(print, std::uint64_t{packet.part.offset} << 32 | packet.part.length);
        print = stir(print, std::hash<std::string_view>()(as_text(packet.part.bytes)));
    }
    return stir(print, std::uint64_t{packet.checksum} << 48 | std::uint64_t{packet.tcp.flags} << 40 |
                           std::uint64_t{packet.icmp.type} << 32 | packet.payload_length);
}

}  // namespace

bool Duplicates::seen(const packet::Packet& packet, Time time) {
    const std::uint64_t print = print_of(packet);
    Entry& entry = recent_[print % recent_.size()];
    const bool again =
        entry.print == print && std::abs(static_cast<double>(time) - static_cast<double>(entry.time)) <= window;
    entry = {print, time};
    return again;
}

}  // namespace sallyport::diagnose
