#include "wire/h323/answer.hpp"

#include "wire/h323/call.hpp"
#include "wire/h323/h225.hpp"
#include "wire/h323/tpkt.hpp"
#include "wire/per/writer.hpp"

#include <algorithm>
#include <bit>

namespace sallyport::h323 {

namespace {

// itu-t(0) recommendation(0) h(8) h225-0(2250) version(0) 7
constexpr std::array protocol_identifier{std::byte{0x00}, std::byte{0x08}, std::byte{0x91},
                                         std::byte{0x4A}, std::byte{0x00}, std::byte{0x07}};
constexpr std::array null_value{std::byte{0x00}};
constexpr std::array false_value{std::byte{0x00}};
constexpr std::array true_value{std::byte{0x80}};

constexpr std::uint8_t cause_location = 0x81;  // the private network serving the local user; no octet 3a
constexpr std::uint8_t last_octet = 0x80;

constexpr std::size_t max_ras = 32;  // octets of a reject
constexpr std::size_t max_generic_data = max_ras + 16;

void write_choice(per::Writer& out, const Type& choice, std::size_t index) {
    const std::size_t root = choice.fields.size();
    out.bit(index >= root);
    if (index < root)
        return out.bits(static_cast<std::uint32_t>(index), static_cast<unsigned>(std::bit_width(root - 1)));
    out.small_number(static_cast<std::uint32_t>(index - root));
    out.open(null_value);
}

// GenericIdentifier.standard
void write_standard_identifier(per::Writer& out, std::uint16_t value) {
    write_choice(out, h225::generic_identifier, 0);
    out.bit(false);  // within the bounds
    out.number_16(value);
}

Bytes write_reject(MutableBytes room, const RasMessage& request, std::uint8_t reason) {
    const bool registration = request.kind == ras::registration_request;
    per::Writer out(room);
    write_choice(out, h225::ras_message, registration ? ras::registration_reject : ras::gatekeeper_reject);
    out.bits(0, 3);  // no additions, no nonStandardData, no gatekeeperIdentifier
    out.number_16(static_cast<std::uint16_t>(request.request_seq_num - 1));
    out.open(protocol_identifier);
    write_choice(out, registration ? h225::registration_reject_reason : h225::gatekeeper_reject_reason, reason);
    return out.written();
}

// One item of H.460.17 with one RasMessage.
Bytes write_generic_data(MutableBytes room, Bytes ras) {
    per::Writer out(room);
    out.length(1);
    out.bits(0b01, 2);  // no additions, parameters
    write_standard_identifier(out, 17);
    out.number_16(0);  // one parameter: the size is counted from 1
    out.bits(0b01, 2);  // no additions, content
    write_standard_identifier(out, 1);
    write_choice(out, h225::content, 0);
    out.open(ras);
    return out.written();
}

Bytes write_tunnel(MutableBytes room, Bytes ras) {
    std::array<std::byte, max_generic_data> generic_room;
    const Bytes generic_data = write_generic_data(generic_room, ras);
    per::Writer out(room);
    out.bits(0b0010, 4);  // no user-data; additions, no nonStandardData
    write_choice(out, h225::h323_message_body, body::empty);
    out.small_number(8);  // nine additions, of which h245Tunnelling and genericData are here
    out.bits(0b010000001, 9);
    out.open(true_value);
    out.open(generic_data);
    return out.written();
}

Bytes write_release(MutableBytes room, std::uint8_t reason) {
    per::Writer out(room);
    out.bits(0b0010, 4);
    write_choice(out, h225::h323_message_body, body::release_complete);
    out.bits(0b01, 2);  // no additions, a reason
    out.open(protocol_identifier);
    write_choice(out, h225::release_complete_reason, reason);
    out.small_number(1);  // two additions, of which h245Tunnelling is here
    out.bits(0b01, 2);
    out.open(false_value);
    return out.written();
}

// The call reference says which side chose it (Q.931 section 4.3): the answer says the other. One of nothing but zeros
// belongs to no call and stays.
void write_call_reference(ByteWriter& out, Bytes reference) {
    const bool global = std::ranges::all_of(reference, [](std::byte octet) { return octet == std::byte{0}; });
    out.u8(static_cast<std::uint8_t>(reference.size()));
    for (std::size_t i = 0; i < reference.size(); ++i) {
        const auto octet = std::to_integer<std::uint8_t>(reference[i]);
        out.u8(i == 0 && !global ? octet ^ 0x80 : octet);
    }
}

struct Head {
    std::uint8_t type;
    Bytes element;  // in front of Display
    std::string_view display;
};

Bytes write_tpkt(AnswerRoom& room, const Q931Message& request, const Head& head, Bytes h225) {
    ByteWriter out(MutableBytes(room).subspan(tpkt_header));
    out.u8(q931_discriminator);
    write_call_reference(out, request.call_reference);
    out.u8(head.type);
    out.bytes(head.element);
    const std::string_view display = head.display.substr(0, max_display);
    if (!display.empty()) {
        out.u8(element::display);
        out.u8(static_cast<std::uint8_t>(display.size()));
        out.text(display);
    }
    out.u8(element::user_user);
    out.u16(static_cast<std::uint16_t>(1 + h225.size()));
    out.u8(h225_discriminator);
    out.bytes(h225);
    const std::size_t size = tpkt_header + out.size();
    ByteWriter header(room);
    header.u16(0x0300);
    header.u16(static_cast<std::uint16_t>(size));
    return out.ok() && !h225.empty() ? Bytes(room).first(size) : Bytes();
}

}  // namespace

Bytes write_ras_reject(AnswerRoom& room, const Q931Message& request, const RasMessage& ras, std::uint8_t reason,
                       std::string_view display) {
    std::array<std::byte, max_ras> ras_room;
    std::array<std::byte, max_answer> h225_room;
    constexpr std::array facility_element{std::byte{element::facility}, std::byte{0}};  // in every one that is seen
    return write_tpkt(room, request, {.type = q931::facility, .element = facility_element, .display = display},
                      write_tunnel(h225_room, write_reject(ras_room, ras, reason)));
}

Bytes write_release_complete(AnswerRoom& room, const Q931Message& request, std::uint8_t reason, std::uint8_t cause,
                             std::string_view display) {
    std::array<std::byte, max_answer> h225_room;
    const std::array cause_element{std::byte{element::cause}, std::byte{2}, std::byte{cause_location},
                                   std::byte{static_cast<std::uint8_t>(last_octet | cause)}};
    return write_tpkt(room, request, {.type = q931::release_complete, .element = cause_element, .display = display},
                      write_release(h225_room, reason));
}

}  // namespace sallyport::h323
