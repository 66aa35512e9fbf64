#include "gate/first_word.hpp"

namespace sallyport::gate {

namespace {

constexpr std::size_t longest = 32;  // bytes; the longest registered method has 17

bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
bool is_word(char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_'; }

}  // namespace

FirstWord first_word(std::string_view text) {
    std::size_t size = 0;
    while (size < text.size() && is_word(text[size])) ++size;
    if (size > longest || (!text.empty() && !is_letter(text.front()))) return {.complete = Recognized::no};
    if (size == text.size()) return {};
    if (text[size] != ' ') return {.complete = Recognized::no};
    return {.complete = Recognized::yes, .word = text.substr(0, size), .rest = text.substr(size + 1)};
}

}  // namespace sallyport::gate
