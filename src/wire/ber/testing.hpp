// Encoding by hand, for tests: what can be written wrong on purpose.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sallyport::ber::testing {

/// A length in `octets` octets behind the first; 0: the short form.
inline std::string length(std::size_t value, int octets = 0) {
    if (octets == 0 && value >= 0x80) octets = value < 0x100 ? 1 : value < 0x10000 ? 2 : 4;
    std::string out(1, static_cast<char>(octets == 0 ? value : 0x80u | static_cast<unsigned>(octets)));
    while (octets-- > 0) out += static_cast<char>(value >> (8 * octets));
    return out;
}

inline std::string tlv(unsigned tag, std::string_view contents, int length_octets = 0) {
    return std::string(1, static_cast<char>(tag)) + length(contents.size(), length_octets) + std::string(contents);
}

inline std::string integer(long value, unsigned tag = 0x02) {
    std::string contents;
    for (int shift = 24; shift >= 0; shift -= 8) contents += static_cast<char>(value >> shift);
    while (contents.size() > 1 && ((contents[0] == 0 && contents[1] >= 0) || (contents[0] == -1 && contents[1] < 0))) {
        contents.erase(0, 1);
    }
    return tlv(tag, contents);
}

/// `levels` SEQUENCEs in one another around nothing.
inline std::string nested(int levels) {
    std::string out;
    while (levels-- > 0) out = tlv(0x30, out);
    return out;
}

/// "30 84 0a" as octets: hexadecimal digits, blanks anywhere.
inline std::string octets(std::string_view hex) {
    std::string digits, out;
    for (const char c : hex) {
        if (c != ' ') digits += c;
    }
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
        out += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
    return out;
}

}  // namespace sallyport::ber::testing
