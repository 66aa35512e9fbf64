// Small things done to text, for names and settings. ASCII only: what protocols and configurations use.
#pragma once

#include <charconv>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace sallyport {

constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }
std::string to_lower(std::string_view text);
bool equals_ignoring_case(std::string_view a, std::string_view b);

/// Does it steer a terminal or end a line, where text is shown? Octets of UTF-8 do neither.
constexpr bool is_control(char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7F'; }

/// Without the spaces and tabs at both ends.
std::string_view trim(std::string_view text);

/// The whole text as a decimal number that fits T: no sign for unsigned types, no blanks, no rest.
template <class T>
std::optional<T> parse_number(std::string_view text, int base = 10) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
    return value;
}

/// The candidate that a mistyped word most likely meant: fewest edits, at most a fifth of its length (two in
/// any case, one in words of less than six letters). Empty when none is near.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace sallyport
