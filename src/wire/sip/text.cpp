#include "wire/sip/text.hpp"

#include <algorithm>

namespace sallyport::sip {

namespace {

bool is_hexadecimal(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

}  // namespace

void skip_white(std::string_view& text) {
    while (!text.empty() && is_white(text.front())) text.remove_prefix(1);
}

std::string_view trim_white(std::string_view text) {
    skip_white(text);
    while (!text.empty() && is_white(text.back())) text.remove_suffix(1);
    return text;
}

bool is_all(CharacterSet set, std::string_view text) { return !text.empty() && run_of(set, text) == text.size(); }

bool is_escaped(CharacterSet set, std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            if (!is_in(set, text[i])) return false;
            continue;
        }
        if (text.size() - i < 3 || !is_hexadecimal(text[i + 1]) || !is_hexadecimal(text[i + 2])) return false;
        i += 2;
    }
    return true;
}

std::size_t run_of(CharacterSet set, std::string_view text) {
    const auto* const end = std::ranges::find_if_not(text, [set](char c) { return is_in(set, c); });
    return static_cast<std::size_t>(end - text.begin());
}

std::size_t quoted_size(std::string_view text) {
    if (!text.starts_with('"')) return 0;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '"') return i + 1;
        if (text[i] == '\\') ++i;
    }
    return 0;
}

}  // namespace sallyport::sip
