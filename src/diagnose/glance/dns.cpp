#include "diagnose/glance/dns.hpp"

#include "base/text.hpp"
#include "wire/dns/message.hpp"

#include <array>
#include <cstring>

namespace sallyport::diagnose {

namespace {

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

// A whole name in wire form.
std::string text_of(Bytes name) {
    std::string out;
    while (name.front() != std::byte{0}) {
        const auto length = std::to_integer<std::size_t>(name.front());
        append_label(out, name.subspan(1, length));
        name = name.subspan(1 + length);
    }
    if (out.empty()) return ".";
    out.pop_back();
    return out;
}

std::optional<IpAddress> address_of(std::uint16_t type, Bytes data) {
    if (type == dns::type::a && data.size() == 4) return IpAddress::v4(*ByteReader(data).u32());
    if (type != dns::type::aaaa || data.size() != 16) return std::nullopt;
    std::array<std::uint8_t, 16> raw{};
    std::memcpy(raw.data(), data.data(), raw.size());
    return IpAddress::v6(raw);
}

// What there is of the answer; a cut capture has less.
void read_answers(Bytes message, const dns::Header& header, std::size_t at, DnsGlance& out) {
    dns::RecordReader records(message, header, at);
    while (out.addresses.size() < max_addresses) {
        const auto record = records.next();
        if (!record || record->section != dns::Record::Section::answer) return;
        if (const auto address = address_of(record->type, message.subspan(record->rdata, record->size)))
            out.addresses.push_back(*address);
    }
}

}  // namespace

std::optional<DnsGlance> glance_dns(Bytes datagram) {
    constexpr std::uint16_t reserved = 0x0040;
    constexpr std::uint16_t most_additional = 2;  // of a query: OPT, and a signature of the transaction
    const auto header = dns::read_header(datagram);
    if (!header || header->questions != 1 || header->has(dns::flag::opcode | reserved)) return std::nullopt;
    DnsGlance out{.id = header->id, .response = header->has(dns::flag::response), .name = {}, .addresses = {}};
    const bool more_than_a_question =
        header->answers != 0 || header->authorities != 0 || header->additionals > most_additional;
    if (!out.response && more_than_a_question) return std::nullopt;
    out.code = static_cast<std::uint8_t>(header->flags & dns::flag::rcode);
    const auto name_ends = dns::skip_plain_name(datagram, dns::header_size);
    if (!name_ends) return std::nullopt;
    ByteReader question(datagram.subspan(*name_ends));
    const auto type = question.u16(), of_class = question.u16();
    if (!of_class || *of_class != dns::class_in || *type == 0) return std::nullopt;
    out.name = text_of(datagram.subspan(dns::header_size, *name_ends - dns::header_size));
    out.type = *type;
    if (out.response) read_answers(datagram, *header, *name_ends + 4, out);
    return out;
}

}  // namespace sallyport::diagnose
