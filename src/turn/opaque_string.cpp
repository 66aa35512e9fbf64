#include "turn/opaque_string.hpp"

#include <algorithm>
#include <array>

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

}  // namespace

std::string opaque_string(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const auto space = std::ranges::find_if(spaces, [&](std::string_view one) { return text.starts_with(one); });
        out += space == spaces.end() ? text.front() : ' ';
        text.remove_prefix(space == spaces.end() ? 1 : space->size());
    }
    return out;
}

}  // namespace sallyport::turn
