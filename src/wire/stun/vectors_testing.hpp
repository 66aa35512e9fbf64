// The published messages: RFC 5769 section 2, and RFC 8489 appendix B.1 as its errata mend it.
#pragma once

#include "base/bytes.hpp"

#include <string>
#include <string_view>

namespace sallyport::stun::testing {

/// Hexadecimal digits to bytes; blanks are passed over.
inline std::string from_hex(std::string_view text) {
    std::string out;
    int high = -1;
    for (const char c : text) {
        if (c == ' ') continue;
        const int digit = c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
        if (high >= 0) out += static_cast<char>(high << 4 | digit);
        high = high < 0 ? digit : -1;
    }
    return out;
}

inline constexpr std::string_view short_term_password = "VOkJxbRl1RmTxUk/WvJxBt";

inline const std::string request = from_hex(
    "0001 0058 2112A442 B7E7A701BC34D686FA87DFAE"
    "8022 0010 5354554E207465737420636C69656E74"
    "0024 0004 6E0001FF"
    "8029 0008 932FF9B151263B36"
    "0006 0009 6576746A3A68367659 202020"
    "0008 0014 9AEAA70CBFD8CB56781EF2B5B2D3F249C1B571A2"
    "8028 0004 E57A3BCF");

inline const std::string response_v4 = from_hex(
    "0101 003C 2112A442 B7E7A701BC34D686FA87DFAE"
    "8022 000B 7465737420766563746F72 20"
    "0020 0008 0001A147E112A643"
    "0008 0014 2B91F599FD9E90C38C7489F92AF9BA53F06BE7D7"
    "8028 0004 C07D4C96");

inline const std::string response_v6 = from_hex(
    "0101 0048 2112A442 B7E7A701BC34D686FA87DFAE"
    "8022 000B 7465737420766563746F72 20"
    "0020 0014 0002A1470113A9FAA5D3F179BC25F4B5BED2B9D9"
    "0008 0014 A382954E4BE67BF11784C97C8292C275BFE3ED41"
    "8028 0004 C8FB0B4C");

inline const std::string long_term_request = from_hex(
    "0001 0060 2112A442 78AD3433C6AD72C029DA412E"
    "0006 0012 E3839EE38388E383AAE38383E382AFE382B9 0000"
    "0015 001C 662F2F3439396B39353464364F4C33346F4C394653547679363473 41"
    "0014 000B 6578616D706C652E6F7267 00"
    "0008 0014 F67024656DD64A3E02B8E0712E85C9A28CA89666");

inline const std::string sha256_request = from_hex(
    "0001 0090 2112A442 78AD3433C6AD72C029DA412E"
    "001E 0020 4A3CF38FEF6992BDA952C6780417DA0F24819415569E60B205C46E41407F1704"
    "0015 0029 6F624D61744A6F733241414143662F2F3439396B39353464364F4C33346F4C39465354767936347341 000000"
    "0014 000B 6578616D706C652E6F7267 00"
    "001D 0004 00020000"
    "001C 0020 B5C7BF005B6C52A21C51C5E892F81924136296CB927C43149309278CC6518E65");

}  // namespace sallyport::stun::testing
