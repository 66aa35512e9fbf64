#include "dns/explain.hpp"

#include "base/text.hpp"

#include <array>
#include <cstring>

namespace sallyport::dns {

namespace {

using telemetry::Reason;

std::string address_text(std::uint16_t record_type, Bytes rdata) {
    if (record_type == type::a) return IpAddress::v4(*ByteReader(rdata).u32()).to_string();
    std::array<std::uint8_t, 16> octets;
    std::memcpy(octets.data(), rdata.data(), octets.size());
    return IpAddress::v6(octets).to_string();
}

// The answer as it would be sent, read again.
std::string answer_text(const Name& asked_name, std::uint16_t asked_type, const Decision& decision) {
    std::array<std::byte, max_name + 4> question;
    ByteWriter writer(question);
    writer.bytes(asked_name.wire());
    writer.u16(asked_type);
    writer.u16(class_in);
    std::array<std::byte, 4096> room;
    const Bytes answer = write_answer(room, {.id = 0, .flags = 0, .question = writer.written()}, asked_type, decision);
    const auto response = read_response(answer);
    if (!response) return {};
    std::string out = rcode_name(response->header.flags & flag::rcode);
    RecordReader records(answer, response->header, response->records_at());
    while (const auto record = records.next()) {
        if (record->section != Record::Section::answer) continue;
        out += ' ' + type_name(record->type) + ' ';
        if (record->type == type::ptr)
            out += read_name(answer, record->rdata).value_or(NameAt{}).name.to_string();
        else
            out += address_text(record->type, answer.subspan(record->rdata, record->size));
    }
    return response->header.answers == 0 && (response->header.flags & flag::rcode) == 0 ? out + ", no data" : out;
}

Reason reason_of(const Decision& decision) {
    switch (decision.outcome) {
        case Outcome::refused: return Reason::dns_refused;
        case Outcome::unserved: return Reason::protocol_unsupported;
        case Outcome::nowhere: return Reason::dns_no_answer;
        case Outcome::denied: return Reason::dns_denied;
        default: return Reason::ok;
    }
}

}  // namespace

Result<Explanation> explain(const Zones& zones, std::string_view subject, const IpAddress& client, Claims* claims) {
    const auto mark = subject.find('?');
    const std::string_view type_text = mark == std::string_view::npos ? "A" : subject.substr(mark + 1);
    const auto asked_type = type_by_name(type_text);
    if (!asked_type) return fail("there is no type \"" + std::string(type_text) + "\"; write AAAA, or TYPE65280");
    const auto asked_name = Name::parse(subject.substr(0, mark));
    if (!asked_name) return fail("\"" + std::string(subject.substr(0, mark)) + "\" is no domain name");

    Explanation out;
    out.looked_for = to_lower(asked_name->to_string()) + ' ' + type_name(*asked_type);
    const NameKey key(asked_name->wire(), zones.seed());
    const Decision decision =
        decide(zones, {asked_name->wire(), *asked_type, class_in, client}, key, claims, &out.trail);
    out.reason = reason_of(decision);
    if (decision.view != nullptr) out.view = decision.view->name;
    if (decision.outcome != Outcome::forward) {
        out.answer = answer_text(*asked_name, *asked_type, decision);
        return out;
    }
    std::string servers;
    for (const auto& server : decision.group->servers) servers += (servers.empty() ? "" : " or ") + server.to_string();
    out.answer = "what " + servers + " answers";
    return out;
}

}  // namespace sallyport::dns
