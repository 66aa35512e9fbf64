// For tests: messages written as hex with blanks for the reader, and queries made of their parts.
#pragma once

#include "base/bytes.hpp"
#include "wire/dns/answer.hpp"
#include "wire/dns/message.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::dns::testing {

/// "0001 0100" to octets; 'text' in single quotes stands for itself.
inline std::string octets(std::string_view hex) {
    std::string out;
    int high = -1;
    bool quoted = false;
    for (const char c : hex) {
        if (c == '\'') {
            quoted = !quoted;
        } else if (quoted) {
            out += c;
        } else if (c != ' ') {
            const int digit = c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
            if (high < 0) {
                high = digit;
            } else {
                out += static_cast<char>(high << 4 | digit);
                high = -1;
            }
        }
    }
    return out;
}

struct QueryText {
    std::string_view name = "hq.example.com";
    std::uint16_t type = type::a;
    std::uint16_t id = 0x1234;
    std::uint16_t flags = flag::recursion_desired;
    bool edns = false;
    std::uint16_t payload = 1232;
    bool dnssec_ok = false;
    std::string options = {};
};

/// The octets of a query.
inline std::string query(const QueryText& text) {
    std::array<std::byte, 1024> room;
    ByteWriter out(room);
    out.u16(text.id);
    out.u16(text.flags);
    out.u16(1);
    out.u32(0);
    out.u16(text.edns ? 1 : 0);
    out.bytes(Name::parse(text.name).value().wire());
    out.u16(text.type);
    out.u16(class_in);
    if (text.edns) write_opt(out, text.payload, 0, text.dnssec_ok, as_bytes(text.options));
    return std::string(as_text(out.written()));
}

}  // namespace sallyport::dns::testing
