#include "base/mac.hpp"

#include "base/text.hpp"

#include <cstddef>

namespace sallyport {

namespace {

constexpr std::size_t digits_of_mac = 12;

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

}  // namespace

std::optional<std::string> canonical_mac(std::string_view text) {
    std::string out;
    std::size_t group = 0;  // digits since the last separator
    char separator = 0;
    std::size_t every = 0;
    for (const char given : text) {
        const char c = to_lower(given);
        if (is_hex(c)) {
            if (!out.empty() && (out.size() + 1) % 3 == 0) out += ':';
            out += c;
            ++group;
            if (out.size() > digits_of_mac + 5) return std::nullopt;
            continue;
        }
        if (c != ':' && c != '-' && c != '.') return std::nullopt;
        if (separator == 0) {
            separator = c;
            every = group;
        }
        if (c != separator || group != every || (every != 2 && every != 4)) return std::nullopt;
        group = 0;
    }
    if (out.size() != digits_of_mac + 5 || (separator != 0 && group != every)) return std::nullopt;
    return out;
}

}  // namespace sallyport
