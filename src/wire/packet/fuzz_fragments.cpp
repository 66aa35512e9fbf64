// Fragments of two datagrams in any order and shape: what is put together is what was sent, wherever no two fragments
// contradicted each other, and what waits stays bounded.
#include "base/fuzzing.hpp"
#include "wire/packet/fragments.hpp"

#include <array>
#include <vector>

namespace {

using namespace sallyport;
using fuzzing::require;

// Byte `at` of every datagram with this number: a UDP header that says nothing in particular, and a pattern behind it.
std::byte byte_of(std::uint32_t identification, std::uint32_t at) {
    return static_cast<std::byte>(at * 7 + identification * 31 + (at >> 8));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    packet::Fragments fragments;
    std::int64_t time = 0;
    std::uint64_t number = 0;
    for (; size >= 4; data += 4, size -= 4) {
        packet::Packet packet;
        packet.source = data[0] & 1 ? IpAddress::v4(0x0A000001) : IpAddress::v6({0x20, 1});
        packet.identification = data[0] >> 1 & 7;
        packet.fragment = true;
        packet.part.protocol = data[0] & 64 ? packet::protocol::udp : 60;
        packet.part.more = (data[0] & 128) != 0;
        packet.part.offset = std::uint32_t{data[1]} * 8;
        const std::size_t length = data[2] * (packet.part.more ? std::size_t{8} : 1);
        std::vector<std::byte> bytes(length);
        for (std::size_t i = 0; i < length; ++i)
            bytes[i] = byte_of(packet.identification, packet.part.offset + static_cast<std::uint32_t>(i));
        packet.part.length = static_cast<std::uint32_t>(length);
        packet.part.bytes = bytes;
        packet.later_fragment = packet.part.offset != 0;
        time += std::int64_t{data[3]} * 1'000'000'000;
        if (const auto given = fragments.add(packet, time, ++number)) {
            const auto& whole = given->packet;
            require(given->number == number && !whole.fragment && !whole.later_fragment);
            if (whole.transport && whole.protocol == packet::protocol::udp && whole.source.is_v4())
                for (std::size_t i = 0; i < whole.payload.size(); ++i)
                    require(whole.payload[i] == byte_of(whole.identification, static_cast<std::uint32_t>(8 + i)));
        }
        std::size_t given_up = 0;
        while (fragments.give_up(time)) ++given_up;
        require(given_up <= packet::max_waiting + 1);
    }
    while (const auto given = fragments.give_up(INT64_MAX)) require(given->number >= 1 && given->number <= number);
    require(fragments.completed() + fragments.incomplete() + fragments.overlapping() <= number);
    return 0;
}
