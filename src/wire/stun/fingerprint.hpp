// What FINGERPRINT holds: the CRC-32 of ITU-T V.42 over the message, masked (RFC 8489 section 14.7).
#pragma once

#include "base/bytes.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace sallyport::stun {

namespace detail {

inline constexpr auto crc_table = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < table.size(); ++i) {
        std::uint32_t value = i;
        for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ (0xEDB88320U & (0U - (value & 1U)));
        table[i] = value;
    }
    return table;
}();

}  // namespace detail

/// @param bytes  the message before FINGERPRINT, its header's length counting FINGERPRINT in.
constexpr std::uint32_t fingerprint_of(Bytes bytes) {
    std::uint32_t crc = ~0U;
    for (const std::byte byte : bytes)
        crc = crc >> 8 ^ detail::crc_table[(crc ^ std::to_integer<std::uint32_t>(byte)) & 0xFF];
    return ~crc ^ 0x5354554E;  // "STUN", so that it differs from other protocols' CRC-32
}

}  // namespace sallyport::stun
