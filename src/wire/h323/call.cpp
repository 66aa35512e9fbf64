#include "wire/h323/call.hpp"

#include "wire/h323/h225.hpp"

#include <algorithm>

namespace sallyport::h323 {

namespace {

constexpr std::uint32_t h460_17 = 17;  // the standard identifier of RAS over H.225.0
constexpr std::uint32_t ras_pdu = 1;  // its parameter that holds a RasMessage
constexpr std::size_t raw = 0;  // the alternative of Content

// GenericIdentifier.standard within its bounds; nothing for every other identifier.
std::optional<std::uint32_t> read_standard_identifier(const per::Reader* place) {
    if (place == nullptr) return std::nullopt;
    per::Reader in = *place;
    const Chosen chosen = read_choice(in, h225::generic_identifier);
    if (chosen.addition || chosen.index != 0 || in.bit()) return std::nullopt;
    const std::uint32_t value = in.number(0, 16383);
    return in.ok() ? std::optional(value) : std::nullopt;
}

// An EnumeratedParameter.
void read_parameter(per::Reader& in, std::vector<Bytes>& ras) {
    Places places;
    read_sequence(in, h225::enumerated_parameter, places);
    const per::Reader* place = places.at(Mark::content);
    if (!in.ok() || place == nullptr || read_standard_identifier(places.at(Mark::id)) != ras_pdu) return;
    per::Reader content = *place;
    const Chosen chosen = read_choice(content, h225::content);
    if (chosen.addition || chosen.index != raw) return;
    ras.push_back(content.octets(content.length()));
}

// genericData: items by their identifiers, of which H.460.17's is wanted.
void read_generic_data(per::Reader& in, std::vector<Bytes>& ras) {
    const std::size_t items = in.length();
    for (std::size_t i = 0; i < items && in.ok(); ++i) {
        Places places;
        read_sequence(in, h225::generic_data, places);
        const per::Reader* place = places.at(Mark::parameters);
        if (!in.ok() || place == nullptr || read_standard_identifier(places.at(Mark::id)) != h460_17) continue;
        per::Reader list = *place;
        const std::size_t parameters = list.length(1, 512);
        for (std::size_t k = 0; k < parameters && list.ok(); ++k) read_parameter(list, ras);
    }
}

// The message inside the body. @return the field that could not be read
std::string_view read_body(per::Reader& in, const Type& type, UserInformation& information) {
    Places places;
    if (const auto where = read_sequence(in, type, places); !in.ok()) return where;
    if (const per::Reader* place = places.at(Mark::destination)) {
        per::Reader list = *place;
        information.destination = read_aliases(list);
        if (!list.ok()) in.fail(list.error());
        return "destinationAddress";
    }
    if (const per::Reader* place = places.at(Mark::reason)) {
        per::Reader reason = *place;
        const std::size_t index = read_choice(reason, h225::release_complete_reason).index;
        information.release_reason = static_cast<std::uint8_t>(std::min<std::size_t>(index, 0xFF));
    }
    return {};
}

}  // namespace

std::string_view release_reason_name(std::uint8_t reason) {
    const Type& reasons = h225::release_complete_reason;
    if (reason < reasons.fields.size()) return reasons.fields[reason].name;
    const std::size_t addition = reason - reasons.fields.size();
    return addition < reasons.additions.size() ? reasons.additions[addition].name : std::string_view();
}

Result<UserInformation, ReadError> read_user_information(Bytes encoding) {
    per::Reader in(encoding);
    Places outer;
    read_sequence(in, h225::h323_user_information, outer);
    const per::Reader* pdu_place = outer.at(Mark::uu_pdu);
    if (!in.ok() || pdu_place == nullptr) return fail(ReadError{in.error(), "H323-UserInformation"});

    per::Reader pdu = *pdu_place;
    Places places;
    const std::string_view where = read_sequence(pdu, h225::h323_uu_pdu, places);
    const per::Reader* body_place = places.at(Mark::body);
    if (body_place == nullptr) return fail(ReadError{pdu.error(), "H323-UU-PDU"});
    per::Reader inside = *body_place;
    const Chosen chosen = read_choice(inside, h225::h323_message_body);
    if (!inside.ok()) return fail(ReadError{inside.error(), "h323-message-body"});

    UserInformation information;
    information.body = static_cast<std::uint8_t>(std::min<std::size_t>(chosen.index, 0xFF));
    if (chosen.index == body::setup || chosen.index == body::release_complete) {
        const std::string_view field = read_body(inside, *chosen.field->type, information);
        if (!inside.ok()) return fail(ReadError{inside.error(), field});
        return information;
    }
    if (chosen.index != body::empty && chosen.index != body::facility) return information;
    if (!pdu.ok()) return fail(ReadError{pdu.error(), where});
    if (const per::Reader* place = places.at(Mark::generic_data)) {
        per::Reader list = *place;
        read_generic_data(list, information.ras);
        if (!list.ok()) return fail(ReadError{list.error(), "genericData"});
    }
    return information;
}

}  // namespace sallyport::h323
