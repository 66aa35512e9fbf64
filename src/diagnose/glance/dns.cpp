#include "diagnose/glance/dns.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace sallyport::diagnose {

namespace {

constexpr std::uint16_t type_a = 1, type_aaaa = 28, class_in = 1;
constexpr std::size_t max_name = 255;  // bytes on the wire (RFC 1035 section 3.1)

struct Number {
    std::uint16_t value;
    std::string_view name;
};
constexpr std::array types{
    Number{1, "A"},   Number{2, "NS"},      Number{5, "CNAME"}, Number{6, "SOA"},    Number{12, "PTR"},
    Number{15, "MX"}, Number{16, "TXT"},    Number{28, "AAAA"}, Number{33, "SRV"},   Number{35, "NAPTR"},
    Number{43, "DS"}, Number{48, "DNSKEY"}, Number{64, "SVCB"}, Number{65, "HTTPS"}, Number{255, "ANY"},
};
constexpr std::array codes{
    Number{0, "NOERROR"},  Number{1, "FORMERR"}, Number{2, "SERVFAIL"},
    Number{3, "NXDOMAIN"}, Number{4, "NOTIMP"},  Number{5, "REFUSED"},
};

std::string name_in(std::span<const Number> table, std::uint16_t value, std::string_view otherwise) {
    const auto found = std::ranges::find(table, value, &Number::value);
    return found == table.end() ? std::string(otherwise) + std::to_string(value) : std::string(found->name);
}

void append_label(std::string& name, Bytes label) {
    for (const std::byte byte : label) {
        const char c = to_lower(static_cast<char>(byte));
        const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        if (plain) {
            name += c;
        } else {
            const std::string digits = std::to_string(std::to_integer<unsigned>(byte));
            name += "\\" + std::string(3 - digits.size(), '0') + digits;
        }
    }
    name += '.';
}

// The question's name: never compressed.
bool read_name(ByteReader& reader, std::string& name) {
    std::size_t total = 1;
    for (;;) {
        const auto length = reader.u8();
        if (!length || *length > 63) return false;
        if (*length == 0) break;
        total += *length + std::size_t{1};
        const auto label = reader.take(*length);
        if (!label || total > max_name) return false;
        append_label(name, *label);
    }
    if (name.empty())
        name = ".";
    else
        name.pop_back();
    return true;
}

// A name of a record, which may end in a pointer: only stepped over.
bool skip_name(ByteReader& reader) {
    for (;;) {
        const auto length = reader.u8();
        if (!length) return false;
        if (*length == 0) return true;
        if (*length >= 0xC0) return reader.u8().has_value();
        if (*length > 63 || !reader.take(*length)) return false;
    }
}

std::optional<IpAddress> address_of(std::uint16_t type, Bytes data) {
    if (type == type_a && data.size() == 4) return IpAddress::v4(*ByteReader(data).u32());
    if (type != type_aaaa || data.size() != 16) return std::nullopt;
    std::array<std::uint8_t, 16> raw{};
    std::memcpy(raw.data(), data.data(), raw.size());
    return IpAddress::v6(raw);
}

// What there is of the answer; a cut capture has less.
void read_answers(ByteReader reader, unsigned count, DnsGlance& out) {
    for (; count > 0 && out.addresses.size() < max_addresses; --count) {
        if (!skip_name(reader)) return;
        const auto type = reader.u16();
        const auto rest = reader.take(6);  // class, time to live
        const auto length = reader.u16();
        const auto data = type && rest && length ? reader.take(*length) : std::nullopt;
        if (!data) return;
        if (const auto address = address_of(*type, *data)) out.addresses.push_back(*address);
    }
}

}  // namespace

std::string dns_type_name(std::uint16_t type) { return name_in(types, type, "TYPE"); }
std::string dns_code_name(std::uint8_t code) { return name_in(codes, code, "code "); }

std::optional<DnsGlance> glance_dns(Bytes datagram) {
    ByteReader reader(datagram);
    const auto id = reader.u16(), flags = reader.u16(), questions = reader.u16(), answers = reader.u16();
    const auto authorities = reader.u16(), additional = reader.u16();
    if (!additional || *questions != 1 || (*flags & 0x7840) != 0) return std::nullopt;  // opcode and the reserved bit
    DnsGlance out{.id = *id, .response = (*flags & 0x8000) != 0, .name = {}, .addresses = {}};
    if (!out.response && (*answers != 0 || *authorities != 0 || *additional > 2)) return std::nullopt;
    out.code = static_cast<std::uint8_t>(*flags & 0x0F);
    if (!read_name(reader, out.name)) return std::nullopt;
    const auto type = reader.u16(), of_class = reader.u16();
    if (!of_class || *of_class != class_in || *type == 0) return std::nullopt;
    out.type = *type;
    if (out.response) read_answers(reader, *answers, out);
    return out;
}

}  // namespace sallyport::diagnose
