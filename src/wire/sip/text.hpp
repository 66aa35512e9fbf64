// The characters and small pieces that SIP's grammar (RFC 3261 section 25.1) is made of. Internal to wire/sip.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sallyport::sip {

enum CharacterSet : std::uint8_t {
    token_set = 1,
    text_set = 2,  // what a line of a value or a reason phrase holds: visible ASCII, blanks, bytes above 127
    request_uri_set = 4,  // visible ASCII but < > ": a Request-URI is passed on, not understood
    user_set = 8,  // of a SIP URI, with '#', which phones send for the key of that name
    password_set = 16,
    parameter_set = 32,  // a name or value in a URI's parameters
    header_set = 64,  // what stands behind the '?' of a URI, its '=' and '&' too
    value_set = 128,  // gen-value that is not quoted: a token or a host
};

inline constexpr auto character_sets = [] {
    std::array<std::uint8_t, 256> sets{};
    const auto add = [&sets](CharacterSet set, std::string_view characters) {
        for (const char c : characters) sets[static_cast<unsigned char>(c)] |= set;
    };
    for (unsigned c = 0; c < 256; ++c) {
        const auto lower = c | 0x20;
        const bool alphanumeric = (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'z' && c < 0x80);
        if (alphanumeric) sets[c] = token_set | user_set | password_set | parameter_set | header_set | value_set;
        if ((c >= 0x20 && c != 0x7F) || c == '\t') sets[c] |= text_set;
        if (c > 0x20 && c < 0x7F && c != '<' && c != '>' && c != '"') sets[c] |= request_uri_set;
    }
    for (const CharacterSet set : {user_set, password_set, parameter_set, header_set}) add(set, "-_.!~*'()");  // mark
    for (const CharacterSet set : {token_set, value_set}) add(set, "-.!%*_+`'~");
    add(value_set, "[]:");
    add(user_set, "&=+$,;?/#");
    add(password_set, "&=+$,");
    add(parameter_set, "[]/:&+$");
    add(header_set, "[]/?:+$=&");
    return sets;
}();

inline bool is_in(CharacterSet set, char c) { return (character_sets[static_cast<unsigned char>(c)] & set) != 0; }

inline bool is_blank(char c) { return c == ' ' || c == '\t'; }
/// A blank, or part of a fold.
inline bool is_white(char c) { return is_blank(c) || c == '\r' || c == '\n'; }
inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Without the white space at both ends.
std::string_view trim_white(std::string_view text);
void skip_white(std::string_view& text);

/// Not empty and nothing but this set.
bool is_all(CharacterSet set, std::string_view text);
/// Nothing but this set and "%" with two hexadecimal digits; may be empty.
bool is_escaped(CharacterSet set, std::string_view text);

/// How many bytes of this set stand at the front.
std::size_t run_of(CharacterSet set, std::string_view text);
/// Bytes of the quoted string at the front of `text`, its quotes counted; 0 where there is none or it does not end.
std::size_t quoted_size(std::string_view text);

}  // namespace sallyport::sip
