// Identifier octets of BER (X.690 section 8.1.2) with low tag numbers, which are all that LDAP uses.
#pragma once

#include <cstdint>

namespace sallyport::ber {

inline constexpr std::uint8_t integer_tag = 0x02;
inline constexpr std::uint8_t octet_string_tag = 0x04;
inline constexpr std::uint8_t enumerated_tag = 0x0A;
inline constexpr std::uint8_t sequence_tag = 0x30;

inline constexpr std::uint8_t constructed_bit = 0x20;
inline constexpr std::uint8_t class_bits = 0xC0;
inline constexpr std::uint8_t application_class = 0x40;
inline constexpr std::uint8_t context_class = 0x80;

/// The number of the tag follows in octets of its own.
constexpr bool is_high_tag(std::uint8_t tag) { return (tag & 0x1F) == 0x1F; }

constexpr bool is_constructed(std::uint8_t tag) { return (tag & constructed_bit) != 0; }

/// [number] of a context, 0 to 30, around something primitive or something constructed.
constexpr std::uint8_t context_primitive(unsigned number) { return static_cast<std::uint8_t>(context_class | number); }
constexpr std::uint8_t context_constructed(unsigned number) {
    return static_cast<std::uint8_t>(context_class | constructed_bit | number);
}

}  // namespace sallyport::ber
