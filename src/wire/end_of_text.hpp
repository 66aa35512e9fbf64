// Where the text of a header field ends: the one loop that goes over most bytes of a head, HTTP's and SIP's alike.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace sallyport::wire {

/// The first byte from `at` on that is a control character other than a tab; `end` where there is none. Eight bytes at
/// a time: values are most of a head.
inline const char* end_of_text(const char* at, const char* end) {
    constexpr std::uint64_t each_byte = 0x0101010101010101;
    if constexpr (std::endian::native == std::endian::little) {
        while (end - at >= 8) {
            std::uint64_t word = 0;
            std::memcpy(&word, at, sizeof word);
            // The high bit of each byte below 0x20 or at 0x7F; right up to the lowest byte that is set, and that one is
            // asked for. A borrow can mark bytes above it.
            const std::uint64_t low = (word - each_byte * 0x20) & ~word;
            const std::uint64_t del = word ^ each_byte * 0x7F;
            const std::uint64_t controls = (low | ((del - each_byte) & ~del)) & each_byte * 0x80;
            if (controls == 0) {
                at += 8;
                continue;
            }
            at += std::countr_zero(controls) / 8;
            if (*at != '\t') return at;
            ++at;
        }
    }
    const auto is_text = [](char c) { return (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F) || c == '\t'; };
    while (at != end && is_text(*at)) ++at;
    return at;
}

}  // namespace sallyport::wire
