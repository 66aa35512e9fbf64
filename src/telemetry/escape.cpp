#include "telemetry/escape.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace sallyport::telemetry {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

void append_hex(std::string& out, unsigned char byte) {
    out += hex_digits[byte >> 4];
    out += hex_digits[byte & 0xF];
}

constexpr bool is_plain(unsigned char c) { return c >= 0x20 && c < 0x7F && c != '\\' && c != '"'; }

// One row of RFC 3629 section 3: how the first byte shows the length, and the least code point that may use it.
struct Utf8Form {
    unsigned char mask, lead;
    std::size_t length;
    std::uint32_t least;
};
constexpr std::array utf8_forms{
    Utf8Form{0x80, 0x00, 1, 0x0},
    Utf8Form{0xE0, 0xC0, 2, 0x80},
    Utf8Form{0xF0, 0xE0, 3, 0x800},
    Utf8Form{0xF8, 0xF0, 4, 0x10000},
};

struct CodePoint {
    std::uint32_t value = 0;
    std::size_t length = 0;  // bytes; 0: not UTF-8
};

CodePoint first_code_point(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    for (const Utf8Form& form : utf8_forms) {
        if ((byte(0) & form.mask) != form.lead) continue;
        if (text.size() < form.length) return {};
        std::uint32_t value = byte(0) & static_cast<unsigned char>(~form.mask);
        for (std::size_t i = 1; i < form.length; ++i) {
            if ((byte(i) & 0xC0) != 0x80) return {};
            value = value << 6 | (byte(i) & 0x3FU);
        }
        const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
        if (value < form.least || value > 0x10FFFF || surrogate) return {};
        return {value, form.length};
    }
    return {};
}

// The length of the run at the start of `text` that needs no escape, so that the usual text is one append.
std::size_t plain_run(std::string_view text) {
    std::size_t length = 0;
    while (length < text.size() && is_plain(static_cast<unsigned char>(text[length]))) ++length;
    return length;
}

// Escapes what stands first in `text`, which is not plain. Answers how many bytes that were.
std::size_t append_json_escape(std::string& out, std::string_view text) {
    const auto byte = static_cast<unsigned char>(text.front());
    if (byte == '"' || byte == '\\') {
        out += '\\';
        out += text.front();
        return 1;
    }
    const CodePoint point = first_code_point(text);
    if (point.length == 0) {
        out += "\\\\x";
        append_hex(out, byte);
        return 1;
    }
    if (point.value < 0xA0) {
        out += "\\u00";
        append_hex(out, static_cast<unsigned char>(point.value));
    } else {
        out += text.substr(0, point.length);
    }
    return point.length;
}

}  // namespace

void append_printable(std::string& out, std::string_view text) {
    while (!text.empty()) {
        const std::size_t run = plain_run(text);
        out += text.substr(0, run);
        text.remove_prefix(run);
        if (text.empty()) return;
        if (text.front() == '"') {
            out += '"';
        } else if (text.front() == '\\') {
            out += "\\\\";
        } else {
            out += "\\x";
            append_hex(out, static_cast<unsigned char>(text.front()));
        }
        text.remove_prefix(1);
    }
}

void append_json_string(std::string& out, std::string_view text) {
    out += '"';
    while (!text.empty()) {
        const std::size_t run = plain_run(text);
        out += text.substr(0, run);
        text.remove_prefix(run);
        if (!text.empty()) text.remove_prefix(append_json_escape(out, text));
    }
    out += '"';
}

}  // namespace sallyport::telemetry
