#include "wire/per/writer.hpp"

namespace sallyport::per {

void Writer::bits(std::uint32_t value, unsigned count) {
    for (; count > 0; --count, ++position_) {
        if (position_ / 8 >= room_.size()) {
            ok_ = false;
            return;
        }
        std::byte& octet = room_[position_ / 8];
        if (position_ % 8 == 0) octet = std::byte{0};
        if ((value >> (count - 1) & 1) != 0) octet |= std::byte{0x80} >> (position_ % 8);
    }
}

void Writer::octets(Bytes value) {
    align();
    for (const std::byte octet : value) bits(std::to_integer<std::uint32_t>(octet), 8);
}

void Writer::number_16(std::uint16_t above_low) {
    align();
    bits(above_low, 16);
}

void Writer::length(std::size_t value) {
    align();
    if (value < 0x80)
        bits(static_cast<std::uint32_t>(value), 8);
    else if (value < 0x4000)
        bits(static_cast<std::uint32_t>(0x8000 | value), 16);
    else
        ok_ = false;
}

void Writer::open(Bytes contents) {
    length(contents.size());
    octets(contents);
}

}  // namespace sallyport::per
