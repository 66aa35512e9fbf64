// Any bytes at all: views inside what was given, names within their bounds that are read again as themselves, answers
// to whatever was asked that are answers to it.
#include "wire/dns/answer.hpp"
#include "wire/dns/message.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace {

using namespace sallyport;
using namespace sallyport::dns;

void require(bool condition) {
    if (!condition) std::abort();
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
    if (const auto response = read_response(message)) {
        RecordReader records(message, response->header, response->records_at());
        while (const auto record = records.next()) {
            require(record->rdata + record->size <= size && record->ttl_at + 6 == record->rdata);
            if (record->type == type::opt) static_cast<void>(read_edns(message, *record));
        }
        require(records.ok() && records.position() == size);
    }
    return 0;
}
