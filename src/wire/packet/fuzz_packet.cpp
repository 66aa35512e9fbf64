// Any bytes at all as a frame of any link type: an answer, views inside the frame, and lengths that hold each other.
#include "wire/packet/packet.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace sallyport;
    constexpr std::uint16_t types[] = {0, 1, 12, 14, 101, 108, 113, 228, 229, 239, 276, 9};
    if (size == 0) return 0;
    const Bytes frame(reinterpret_cast<const std::byte*>(data) + 1, size - 1);
    packet::Packet packet;
    if (!packet::decode(types[data[0] % std::size(types)], frame, packet)) return 0;
    const auto* end = packet.payload.data() + packet.payload.size();
    const bool inside =
        packet.payload.empty() || (packet.payload.data() >= frame.data() && end <= frame.data() + frame.size());
    const auto* part_end = packet.part.bytes.data() + packet.part.bytes.size();
    const bool part_inside = packet.part.bytes.empty() ||
                             (packet.part.bytes.data() >= frame.data() && part_end <= frame.data() + frame.size());
    if (!part_inside || packet.part.bytes.size() > packet.part.length) std::abort();
    if (!inside || (packet.transport && packet.later_fragment)) std::abort();
    return 0;
}
