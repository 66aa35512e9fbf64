#include "turn/opaque_string.hpp"

#include <uninorm.h>
#include <unistr.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace sallyport::turn {

namespace {

// The category Zs of Unicode but for U+0020, in UTF-8.
constexpr std::array<std::string_view, 16> spaces{
    "\xC2\xA0",                                                                  // no-break space
    "\xE1\x9A\x80",                                                              // Ogham space mark
    "\xE2\x80\x80", "\xE2\x80\x81", "\xE2\x80\x82", "\xE2\x80\x83", "\xE2\x80\x84", "\xE2\x80\x85",
    "\xE2\x80\x86", "\xE2\x80\x87", "\xE2\x80\x88", "\xE2\x80\x89", "\xE2\x80\x8A",  // from en quad to hair space
    "\xE2\x80\xAF",                                                              // narrow no-break space
    "\xE2\x81\x9F",                                                              // medium mathematical space
    "\xE3\x80\x80",                                                              // ideographic space
};

std::string with_ascii_spaces(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const auto space = std::ranges::find_if(spaces, [&](std::string_view one) { return text.starts_with(one); });
        out += space == spaces.end() ? text.front() : ' ';
        text.remove_prefix(space == spaces.end() ? 1 : space->size());
    }
    return out;
}

}  // namespace

std::string opaque_string(std::string_view text) {
    if (text.size() > most_opaque) return std::string(text);
    const std::string spaced = with_ascii_spaces(text);
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(spaced.data());
    if (u8_check(bytes, spaced.size()) != nullptr) return spaced;  // no UTF-8
    std::size_t size = 0;
    const std::unique_ptr<std::uint8_t, decltype(&std::free)> composed(
        u8_normalize(UNINORM_NFC, bytes, spaced.size(), nullptr, &size), &std::free);
    if (composed == nullptr) throw std::bad_alloc();
    return {reinterpret_cast<const char*>(composed.get()), size};
}

}  // namespace sallyport::turn
