#include "dns/explain.hpp"

#include "base/text.hpp"

#include <array>
#include <cstring>

namespace sallyport::dns {

namespace {

using telemetry::Reason;

std::string data_text(Bytes message, const Record& record) {
    const Bytes rdata = message.subspan(record.rdata, record.size);
    if (record.type == type::a && rdata.size() == 4) return IpAddress::v4(*ByteReader(rdata).u32()).to_string();
    if (record.type == type::aaaa && rdata.size() == 16) {
        std::array<std::uint8_t, 16> octets;
        std::memcpy(octets.data(), rdata.data(), octets.size());
        return IpAddress::v6(octets).to_string();
    }
    const bool is_name = record.type == type::cname || record.type == type::ptr || record.type == type::ns;
    if (is_name) return read_name(message, record.rdata).value_or(NameAt{}).name.to_string();
    return "(" + std::to_string(record.size) + " octets)";
}

// The answer as it would be sent, read again.
std::string text_of(const Name& asked_name, std::uint16_t asked_type, const Decision& decision) {
    std::array<std::byte, max_name + 4> question;
    ByteWriter writer(question);
    writer.bytes(asked_name.wire());
    writer.u16(asked_type);
    writer.u16(class_in);
    std::vector<std::byte> room(max_message);
    return answer_text(write_answer(room, {.id = 0, .flags = 0, .question = writer.written()}, asked_type, decision));
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

Result<NameAndType> read_subject(std::string_view subject) {
    const auto mark = subject.find('?');
    const std::string_view type_text = mark == std::string_view::npos ? "A" : subject.substr(mark + 1);
    const auto type = type_by_name(type_text);
    if (!type) return fail("there is no type \"" + std::string(type_text) + "\"; write AAAA, or TYPE65280");
    const auto name = Name::parse(subject.substr(0, mark));
    if (!name) return fail("\"" + std::string(subject.substr(0, mark)) + "\" is no domain name");
    return NameAndType{*name, *type};
}

std::string answer_text(Bytes answer) {
    const auto response = read_response(answer);
    if (!response) return {};
    std::string out = rcode_name(response->header.flags & flag::rcode);
    RecordReader records(answer, response->header, response->records_at());
    while (const auto record = records.next()) {
        if (record->section != Record::Section::answer) continue;
        out += ' ' + type_name(record->type) + ' ' + data_text(answer, *record);
    }
    return response->header.answers == 0 && (response->header.flags & flag::rcode) == 0 ? out + ", no data" : out;
}

Result<Explanation> explain(const Zones& zones, std::string_view subject, const IpAddress& client, Claims* claims) {
    const auto asked = read_subject(subject);
    if (!asked) return std::unexpected(asked.error());
    Explanation out;
    out.looked_for = to_lower(asked->name.to_string()) + ' ' + type_name(asked->type);
    const NameKey key(asked->name.wire(), zones.seed());
    const Decision decision =
        decide(zones, {asked->name.wire(), asked->type, class_in, client}, key, claims, &out.trail);
    out.reason = reason_of(decision);
    if (decision.view != nullptr) out.view = decision.view->name;
    if (decision.outcome != Outcome::forward) {
        out.answer = text_of(asked->name, asked->type, decision);
        return out;
    }
    std::string servers;
    for (const auto& server : decision.group->servers) servers += (servers.empty() ? "" : " or ") + server.to_string();
    out.passed_on = true;
    out.answer = "what " + servers + " answers";
    return out;
}

}  // namespace sallyport::dns
