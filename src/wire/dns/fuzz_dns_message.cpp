// Any bytes at all: views inside what was given, names within their bounds that are read again as themselves, answers
// to whatever was asked that are answers to it, for ldns (NLnet Labs) as well. What both read of a message means the
// same.
#include "base/fuzzing.hpp"
#include "wire/dns/answer.hpp"
#include "wire/dns/message.hpp"

#include <ldns/ldns.h>

#include <algorithm>
#include <array>
#include <memory>

namespace {

using namespace sallyport;
using namespace sallyport::dns;
using fuzzing::require;

struct Free {
    void operator()(ldns_pkt* packet) const { ldns_pkt_free(packet); }
};
using Packet = std::unique_ptr<ldns_pkt, Free>;

Packet ldns_read(Bytes message) {
    ldns_pkt* packet = nullptr;
    const auto status = ldns_wire2pkt(&packet, reinterpret_cast<const std::uint8_t*>(message.data()), message.size());
    return Packet(status == LDNS_STATUS_OK ? packet : nullptr);
}

const ldns_rr_list* section_of(const ldns_pkt& packet, Record::Section section) {
    switch (section) {
        case Record::Section::answer: return ldns_pkt_answer(&packet);
        case Record::Section::authority: return ldns_pkt_authority(&packet);
        default: return ldns_pkt_additional(&packet);
    }
}

void compare(const Record& ours, Bytes message, const ldns_rr& theirs) {
    require(ours.type == ldns_rr_get_type(&theirs) && ours.rclass == ldns_rr_get_class(&theirs));
    require(ours.ttl == ldns_rr_ttl(&theirs));
    const auto owner = read_name(message, ours.owner);
    const ldns_rdf* name = ldns_rr_owner(&theirs);
    const Bytes octets = std::as_bytes(std::span(ldns_rdf_data(name), ldns_rdf_size(name)));
    require(!owner || same_name(owner->name.wire(), octets));  // ldns follows pointers ahead, too
}

void read_names(Bytes message) {
    for (std::size_t at = 0; at < std::min<std::size_t>(message.size(), 64); ++at) {
        const auto read = read_name(message, at);
        const auto end = skip_name(message, at);
        if (!read) continue;
        require(end == read->end && read->end <= message.size());
        const Bytes wire = read->name.wire();
        require(wire.size() <= max_name && wire.back() == std::byte{0} && read->name.labels() <= max_labels);
        const auto again = Name::from_wire(wire);
        require(again && same_name(again->wire(), wire));
        const auto written = Name::parse(read->name.to_string());
        require(written && same_name(written->wire(), wire));
        const NameKey key(wire, 7);
        require(key.labels() == read->name.labels() && same_name(key.ending(0), wire));
        require(key.ending(key.labels()).size() == 1);
    }
}

// ldns reads rdata as its type has it, whatever the length says. Does it end where the length says?
bool ends_alike(const Record& record, Bytes message) {
    switch (record.type) {
        case type::a: return record.size == 4;
        case type::aaaa: return record.size == 16;
        case type::ns:
        case type::cname:
        case type::ptr: return skip_name(message, record.rdata) == record.rdata + record.size;
        default: return record.type >= 0xFF00;  // for private use: it knows none of them
    }
}

void read_records(Bytes message, const Response& response) {
    const Packet theirs = ldns_read(message);
    bool alike = theirs != nullptr;
    std::array<std::size_t, 3> seen{};
    RecordReader records(message, response.header, response.records_at());
    while (const auto record = records.next()) {
        require(record->rdata + record->size <= message.size() && record->ttl_at + 6 == record->rdata);
        const bool is_opt = record->type == type::opt;
        if (is_opt) static_cast<void>(read_edns(message, *record));
        const bool apart = is_opt && record->section == Record::Section::additional;  // for ldns
        if (alike && !apart) {
            const ldns_rr_list* list = section_of(*theirs, record->section);
            std::size_t& at = seen[static_cast<std::size_t>(record->section)];
            require(at < ldns_rr_list_rr_count(list));
            compare(*record, message, *ldns_rr_list_rr(list, at++));
            alike = ends_alike(*record, message);
        }
    }
    require(records.ok() && records.position() == message.size());
}

void answer(const Query& query, std::size_t limit) {
    std::array<std::byte, max_name + 600> room;
    AnswerWriter writer(MutableBytes(room).first(limit), Asked::of(query), 0, flag::authoritative);
    writer.answer(type::a, 30, as_bytes("\1\2\3\4"));
    writer.start_of_authority(30);
    const Bytes out = writer.finish(ExtendedError::stale_answer);
    require(out.size() <= limit);
    if (out.empty() || query.question.empty()) return;
    const auto response = read_response(out);
    require(response && std::ranges::equal(response->question, query.question));
    require(response->header.id == query.header.id);
    require(response->header.has(flag::truncated) || response->header.answers == 1);
    require(ldns_read(out) != nullptr);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes message = std::as_bytes(std::span(data, size));
    read_names(message);
    Query query;
    const Received received = read_query(message, query);
    if (received == Received::query) {
        require(!query.question.empty() && Name::from_wire(query.name()).has_value());
        require(!read_response(message));
    }
    if (received != Received::nothing) {
        for (const std::size_t limit : {12U, 100U, 512U, 855U}) answer(query, limit);
    }
    if (const auto response = read_response(message)) read_records(message, *response);
    return 0;
}
