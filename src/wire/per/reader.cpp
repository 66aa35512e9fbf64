#include "wire/per/reader.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

namespace sallyport::per {

namespace {

constexpr std::array<std::string_view, 8> texts = {
    "no error",
    "more is announced than there is",
    "a length in fragments of 16K",
    "a number out of range",
    "a character that may not stand here",
    "too many elements",
    "types too deep in one another",
    "a type that is not known here",
};
static_assert(std::to_underlying(Error::unknown_type) + 1 == texts.size());

}  // namespace

std::string_view text(Error error) { return texts[std::to_underlying(error)]; }

std::uint64_t Reader::bits(unsigned count) {
    if (!ok()) return 0;
    if (count > bytes_.size() * 8 - std::min(position_, bytes_.size() * 8)) {
        fail(Error::beyond_end);
        return 0;
    }
    std::uint64_t value = 0;
    while (count > 0) {
        const auto octet = std::to_integer<std::uint64_t>(bytes_[position_ / 8]);
        const unsigned left = 8 - static_cast<unsigned>(position_ % 8);  // bits of this octet
        const unsigned taken = std::min(left, count);
        value = value << taken | (octet >> (left - taken) & ((1U << taken) - 1));
        position_ += taken;
        count -= taken;
    }
    return value;
}

Bytes Reader::octets(std::size_t count) {
    align();
    if (!ok()) return {};
    const std::size_t start = position_ / 8;
    if (start > bytes_.size() || count > bytes_.size() - start) {
        fail(Error::beyond_end);
        return {};
    }
    position_ += 8 * count;
    return bytes_.subspan(start, count);
}

std::uint32_t Reader::number(std::uint32_t low, std::uint32_t high) {
    const std::uint32_t most = high - low;
    std::uint64_t value = 0;
    if (most < 255) {
        value = bits(static_cast<unsigned>(std::bit_width(most)));
    } else if (most < 65536) {
        align();
        value = bits(most == 255 ? 8 : 16);
    } else {
        // The octets that it takes, as a number of 1..4, stand before it.
        const unsigned size = static_cast<unsigned>(bits(2)) + 1;
        align();
        value = bits(8 * size);
    }
    if (value > most) fail(Error::out_of_range);
    return ok() ? low + static_cast<std::uint32_t>(value) : low;
}

std::uint32_t Reader::small_number() {
    if (!bit()) return static_cast<std::uint32_t>(bits(6));
    const std::size_t size = length();
    if (size == 0 || size > 4) fail(Error::out_of_range);
    return ok() ? static_cast<std::uint32_t>(bits(8 * static_cast<unsigned>(size))) : 0;
}

std::size_t Reader::length() {
    align();
    if (!bit()) return bits(7);
    if (bit()) fail(Error::fragmented);
    return bits(14);
}

Reader Reader::open() {
    const std::size_t size = length();
    Reader inside(octets(size));
    inside.error_ = error_;
    return inside;
}

}  // namespace sallyport::per
