// The parts that all heads share: runs of characters, line ends, field lines. Internal to wire/http.
//
// Every step answers true and moves on, or false: then result() says whether more bytes are needed or what is wrong. A
// step never decides on a byte that has not come, so a prefix of a valid head is never refused.
#pragma once

#include "wire/http/head.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace sallyport::http {

enum CharacterSet : std::uint8_t {
    token_set = 1,   // RFC 9110 section 5.6.2
    target_set = 2,  // visible ASCII but '#': what clients send in a request target
    text_set = 4,    // visible ASCII, blanks, bytes above 127: field values and reason phrases
};

inline constexpr auto character_sets = [] {
    std::array<std::uint8_t, 256> sets{};
    for (unsigned c = 0; c < 256; ++c) {
        const bool visible = c > 0x20 && c < 0x7F;
        const bool token = visible && !std::string_view("\"(),/:;<=>?@[\\]{}").contains(static_cast<char>(c));
        if (token) sets[c] |= token_set;
        if (visible && c != '#') sets[c] |= target_set;
        if (visible || c == ' ' || c == '\t' || c > 0x7F) sets[c] |= text_set;
    }
    return sets;
}();

inline bool is_in(CharacterSet set, char c) { return (character_sets[static_cast<unsigned char>(c)] & set) != 0; }

class Scanner {
public:
    explicit Scanner(Bytes bytes) : Scanner(as_text(bytes)) {}

    /// The first byte, unread; only to recognize what is not HTTP at all.
    bool starts_with(char c) const { return begin_ != end_ && *begin_ == c; }
    /// At most `most` empty lines.
    bool blank_lines(int most);
    /// Bytes of this set, at least one, up to one outside, which stays unread.
    bool run(CharacterSet set, HeadError if_empty, std::string_view& out);
    /// Bytes that a field value may hold, perhaps none.
    bool text(std::string_view& out);
    /// This one byte.
    bool one(char c, HeadError otherwise);
    /// "HTTP/", a digit, a dot, a digit.
    bool version(unsigned& major, unsigned& minor);
    /// Is the next byte this one? False as well where it has not come: then what follows will ask for it.
    bool next_is(char c) const { return at_ != end_ && *at_ == c; }
    bool line_end(HeadError otherwise);
    /// Field lines up to and with the empty line.
    bool fields(FieldList& out);

    bool refuse(HeadError error);
    HeadResult result() const { return result_; }
    HeadResult complete() const {
        return {.state = HeadResult::State::complete, .length = static_cast<std::size_t>(at_ - begin_)};
    }

private:
    explicit Scanner(std::string_view all) : begin_(all.data()), at_(begin_), end_(begin_ + all.size()) {}

    bool field_line(FieldList& out);
    bool no_colon(bool at_line_start);
    bool unexpected(HeadError otherwise);
    bool digit(unsigned& out);

    const char* begin_;
    const char* at_;
    const char* end_;
    HeadResult result_;
};

}  // namespace sallyport::http
