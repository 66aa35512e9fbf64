#include "wire/dns/message.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>

namespace sallyport::dns {

namespace {

struct Word {
    std::uint16_t value;
    std::string_view name;
};

constexpr std::array type_names{
    Word{type::a, "A"},         Word{type::ns, "NS"},       Word{type::cname, "CNAME"}, Word{type::soa, "SOA"},
    Word{type::ptr, "PTR"},     Word{type::mx, "MX"},       Word{type::txt, "TXT"},     Word{type::aaaa, "AAAA"},
    Word{type::srv, "SRV"},     Word{35, "NAPTR"},          Word{type::dname, "DNAME"}, Word{type::opt, "OPT"},
    Word{type::ds, "DS"},       Word{type::rrsig, "RRSIG"}, Word{type::nsec, "NSEC"},   Word{type::dnskey, "DNSKEY"},
    Word{type::nsec3, "NSEC3"}, Word{type::svcb, "SVCB"},   Word{type::https, "HTTPS"}, Word{52, "TLSA"},
    Word{44, "SSHFP"},          Word{type::ixfr, "IXFR"},   Word{type::axfr, "AXFR"},   Word{type::any, "ANY"},
    Word{type::caa, "CAA"},
};

constexpr std::array<std::string_view, 6> rcode_names{"NOERROR",  "FORMERR", "SERVFAIL",
                                                      "NXDOMAIN", "NOTIMP",  "REFUSED"};

// Reads from an offset on; a read beyond the end has been told by then.
ByteReader reader_at(Bytes message, std::size_t at) {
    return ByteReader(message.subspan(std::min(at, message.size())));
}

bool is_whole(Bytes options) {
    while (!options.empty()) {
        if (!next_option(options)) return false;
    }
    return true;
}

// A question's end; nothing where it is compressed: nothing stands before it that it could point to.
std::optional<std::size_t> question_end(Bytes message) {
    const auto name_end = skip_plain_name(message, header_size);
    if (!name_end || message.size() - *name_end < 4) return std::nullopt;
    return *name_end + 4;
}

}  // namespace

std::string type_name(std::uint16_t type) {
    const auto* found = std::ranges::find(type_names, type, &Word::value);
    return found == type_names.end() ? "TYPE" + std::to_string(type) : std::string(found->name);
}

std::optional<std::uint16_t> type_by_name(std::string_view name) {
    const auto* found =
        std::ranges::find_if(type_names, [&](Word word) { return equals_ignoring_case(word.name, name); });
    if (found != type_names.end()) return found->value;
    constexpr std::string_view generic = "TYPE";
    if (name.size() <= generic.size() || !equals_ignoring_case(name.substr(0, generic.size()), generic))
        return std::nullopt;
    return parse_number<std::uint16_t>(name.substr(generic.size()));
}

std::string rcode_name(std::uint16_t rcode) {
    if (rcode < rcode_names.size()) return std::string(rcode_names[rcode]);
    return rcode == bad_version ? "BADVERS" : "RCODE" + std::to_string(rcode);
}

std::optional<Header> read_header(Bytes message) {
    if (message.size() < header_size) return std::nullopt;
    ByteReader reader(message);
    return Header{.id = *reader.u16(),
                  .flags = *reader.u16(),
                  .questions = *reader.u16(),
                  .answers = *reader.u16(),
                  .authorities = *reader.u16(),
                  .additionals = *reader.u16()};
}

std::optional<Option> next_option(Bytes& rest) {
    ByteReader reader(rest);
    const auto code = reader.u16();
    const auto size = reader.u16();
    if (!size) return std::nullopt;
    const auto value = reader.take(*size);
    if (!value) return std::nullopt;
    rest = reader.rest();
    return Option{*code, *value};
}

std::optional<Edns> read_edns(Bytes message, const Record& opt) {
    if (message[opt.owner] != std::byte{0}) return std::nullopt;  // its name is the root (RFC 6891 section 6.1.2)
    Edns edns{.payload = std::max(opt.rclass, least_payload),
              .extended_rcode = static_cast<std::uint8_t>(opt.ttl >> 24),
              .version = static_cast<std::uint8_t>(opt.ttl >> 16),
              .dnssec_ok = (opt.ttl & 0x8000) != 0,
              .options = message.subspan(opt.rdata, opt.size)};
    if (!is_whole(edns.options)) return std::nullopt;
    return edns;
}

Received read_query(Bytes message, Query& query) {
    query = {};
    const auto header = read_header(message);
    if (!header || header->has(flag::response)) return Received::nothing;
    query.header = *header;
    if (header->has(flag::opcode)) return Received::not_implemented;
    if (header->questions != 1 || header->answers != 0 || header->authorities != 0) return Received::malformed;
    const auto end = question_end(message);
    if (!end) return Received::malformed;
    query.question = message.subspan(header_size, *end - header_size);
    ByteReader fields = reader_at(message, *end - 4);
    query.type = *fields.u16();
    query.qclass = *fields.u16();

    RecordReader records(message, *header, *end);
    while (const auto record = records.next()) {
        if (record->type != type::opt || query.edns)
            return Received::malformed;  // one at most (RFC 6891 section 6.1.1)
        query.edns = read_edns(message, *record);
        if (!query.edns) return Received::malformed;
    }
    if (!records.ok()) return Received::malformed;
    return query.edns && query.edns->version != 0 ? Received::bad_version : Received::query;
}

RecordReader::RecordReader(Bytes message, const Header& header, std::size_t at)
    : message_(message), left_{header.answers, header.authorities, header.additionals}, at_(at) {}

std::optional<Record> RecordReader::next() {
    std::size_t section = 0;
    while (section < left_.size() && left_[section] == 0) ++section;
    if (!ok_ || section == left_.size()) {
        ok_ = ok_ && at_ == message_.size();  // nothing may follow the last
        return std::nullopt;
    }
    ok_ = false;
    const auto name_end = skip_name(message_, at_);
    if (!name_end) return std::nullopt;
    ByteReader fields = reader_at(message_, *name_end);
    const auto type = fields.u16();
    const auto rclass = fields.u16();
    const auto ttl = fields.u32();
    const auto size = fields.u16();
    // Where the TTL does not fit, a size of fewer octets still would.
    if (!ttl || !size || fields.remaining() < *size) return std::nullopt;
    --left_[section];
    Record record{.section = static_cast<Record::Section>(section),
                  .owner = at_,
                  .type = *type,
                  .rclass = *rclass,
                  .ttl = *ttl,
                  .ttl_at = *name_end + 4,
                  .rdata = *name_end + 10,
                  .size = *size};
    at_ = record.rdata + record.size;
    ok_ = true;
    return record;
}

std::optional<Response> read_response(Bytes message) {
    const auto header = read_header(message);
    if (!header || !header->has(flag::response) || header->has(flag::opcode) || header->questions != 1)
        return std::nullopt;
    const auto end = question_end(message);
    if (!end) return std::nullopt;
    RecordReader records(message, *header, *end);
    while (records.next()) {}
    if (!records.ok()) return std::nullopt;
    return Response{*header, message.subspan(header_size, *end - header_size)};
}

}  // namespace sallyport::dns
