#include "wire/h323/ras.hpp"

#include "wire/h323/h225.hpp"

namespace sallyport::h323 {

namespace {

// The value at a place, by one of the read_ functions of value.hpp; nothing where there is no such field.
template <class Read>
auto value_at(const Places& places, Mark mark, Read read, per::Error& error)
    -> std::optional<decltype(read(std::declval<per::Reader&>()))> {
    const per::Reader* place = places.at(mark);
    if (place == nullptr) return std::nullopt;
    per::Reader in = *place;
    auto value = read(in);
    if (in.ok()) return value;
    error = in.error();
    return std::nullopt;
}

AlternateGatekeeper read_alternate(per::Reader& in) {
    Places places;
    read_sequence(in, h225::alternate_gk, places);
    per::Error error = per::Error::none;
    AlternateGatekeeper out;
    out.address = value_at(places, Mark::ras_address, read_transport_address, error).value_or(std::nullopt);
    out.identifier = value_at(places, Mark::gatekeeper_identifier, read_gatekeeper_identifier, error).value_or("");
    out.need_to_register =
        value_at(places, Mark::need_to_register, [](per::Reader& at) { return at.bit(); }, error).value_or(false);
    if (error != per::Error::none) in.fail(error);
    return out;
}

std::vector<AlternateGatekeeper> read_alternates(per::Reader& in) {
    Places places;
    read_sequence(in, h225::alt_gk_info, places);
    std::vector<AlternateGatekeeper> out;
    const per::Reader* place = places.at(Mark::alternates);
    if (place == nullptr || !in.ok()) return out;
    per::Reader list = *place;
    const std::size_t count = list.length();
    for (std::size_t i = 0; i < count && list.ok(); ++i) out.push_back(read_alternate(list));
    if (!list.ok()) in.fail(list.error());
    return out;
}

std::uint8_t read_reason(per::Reader& in, const Type& reasons) {
    return static_cast<std::uint8_t>(std::min<std::size_t>(read_choice(in, reasons).index, 0xFF));
}

const Type& reasons_of(std::uint8_t kind) {
    return kind == ras::gatekeeper_reject ? h225::gatekeeper_reject_reason : h225::registration_reject_reason;
}

std::string_view name_of(const Type& choice, std::size_t index) {
    if (index < choice.fields.size()) return choice.fields[index].name;
    index -= choice.fields.size();
    return index < choice.additions.size() ? choice.additions[index].name : std::string_view();
}

void read_fields(const Places& places, RasMessage& message, ReadError& error) {
    const auto at = [&](Mark mark, std::string_view where, auto read) {
        per::Error failed = per::Error::none;
        auto value = value_at(places, mark, read, failed);
        if (failed != per::Error::none && error.error == per::Error::none) error = {failed, where};
        return value;
    };
    const auto seq_num =
        at(Mark::request_seq_num, "requestSeqNum", [](per::Reader& in) { return in.number(1, 65535); });
    message.request_seq_num = static_cast<std::uint16_t>(seq_num.value_or(0));
    message.aliases = at(Mark::aliases, "alias", read_aliases).value_or(std::vector<Alias>());
    message.gatekeeper_identifier = at(Mark::gatekeeper_identifier, "gatekeeperIdentifier", read_gatekeeper_identifier);
    message.reject_reason = at(Mark::reject_reason, "rejectReason",
                               [&](per::Reader& in) { return read_reason(in, reasons_of(message.kind)); });
    message.alternates =
        at(Mark::alternates, "altGKInfo", read_alternates).value_or(std::vector<AlternateGatekeeper>());
    if (const auto assigned = at(Mark::assigned_gatekeeper, "assignedGatekeeper", read_alternate))
        message.alternates.push_back(*assigned);
}

}  // namespace

std::string_view ras_name(std::uint8_t kind) { return name_of(h225::ras_message, kind); }

std::string_view reject_reason_name(const RasMessage& message) {
    return message.reject_reason ? name_of(reasons_of(message.kind), *message.reject_reason) : std::string_view();
}

Result<void, ReadError> read_ras(Bytes encoding, RasMessage& message) {
    message = {};
    per::Reader in(encoding);
    Chosen chosen = read_choice(in, h225::ras_message);
    message.kind = static_cast<std::uint8_t>(std::min<std::size_t>(chosen.index, 0xFF));
    if (!in.ok()) return fail(ReadError{in.error(), "RasMessage"});
    if (chosen.addition || chosen.field->type == nullptr) return {};
    Places places;
    ReadError error;
    error.where = read_sequence(in, *chosen.field->type, places);
    error.error = in.error();
    read_fields(places, message, error);
    if (error.error != per::Error::none) return fail(error);
    return {};
}

}  // namespace sallyport::h323
