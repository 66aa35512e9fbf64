// For tests of this room: answers as an upstream writes them.
#pragma once

#include "wire/dns/testing.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::dns::testing {

struct RecordText {
    std::string_view owner;
    std::uint16_t type = type::a;
    std::uint32_t ttl = 300;
    std::string rdata = octets("C0000207");  // 192.0.2.7
};

inline std::string name_octets(std::string_view name) { return std::string(as_text(Name::parse(name).value().wire())); }

/// The rdata of an SOA with this last field.
inline std::string soa(std::uint32_t minimum) {
    std::array<std::byte, 20> numbers;
    ByteWriter out(numbers);
    for (const std::uint32_t number : {1U, 3600U, 600U, 86400U, minimum}) out.u32(number);
    return name_octets("ns.example.com") + name_octets("hostmaster.example.com") + std::string(as_text(numbers));
}

struct AnswerText {
    std::string question = {};  // octets, copied from the query
    std::uint16_t id = 0;
    std::uint16_t flags = flag::response | flag::recursion_desired | flag::recursion_available;
    std::vector<RecordText> answers = {};
    std::vector<RecordText> authorities = {};
    bool opt = false;
    std::string options = {};
};

inline std::string answer(const AnswerText& text) {
    std::array<std::byte, 4096> room;
    ByteWriter out(room);
    out.u16(text.id);
    out.u16(text.flags);
    out.u16(1);
    out.u16(static_cast<std::uint16_t>(text.answers.size()));
    out.u16(static_cast<std::uint16_t>(text.authorities.size()));
    out.u16(text.opt ? 1 : 0);
    out.text(text.question);
    for (const auto& section : {text.answers, text.authorities}) {
        for (const RecordText& record : section) {
            out.text(name_octets(record.owner));
            out.u16(record.type);
            out.u16(class_in);
            out.u32(record.ttl);
            out.u16(static_cast<std::uint16_t>(record.rdata.size()));
            out.text(record.rdata);
        }
    }
    if (text.opt) write_opt(out, 1232, 0, false, as_bytes(text.options));
    return std::string(as_text(out.written()));
}

/// The question's octets in a query.
inline std::string question_of(std::string_view query) {
    Query read;
    static_cast<void>(read_query(as_bytes(query), read));
    return std::string(as_text(read.question));
}

}  // namespace sallyport::dns::testing
