#include "wire/h323/q931.hpp"

#include <array>
#include <utility>

namespace sallyport::h323 {

namespace {

constexpr std::array<std::string_view, 6> texts = {
    "no Q.931 message",
    "a call reference of more than two octets",
    "no message type of Q.931",
    "an information element that is longer than the message",
    "a User-user element without contents",
    "two User-user elements, of which readers could choose",
};
static_assert(std::to_underlying(Q931Error::several_user_user) + 1 == texts.size());

constexpr std::uint8_t first_bit = 0x80;  // of an identifier: the element is this octet; of a type: not in use

// Section 4.5.12: one octet says where it happened, perhaps a further one by which recommendation, then the value.
std::optional<std::uint8_t> read_cause(Bytes contents) {
    ByteReader reader(contents);
    const auto location = reader.u8();
    if (location && (*location & first_bit) == 0) reader.u8();
    const auto value = reader.u8();
    if (!value) return std::nullopt;
    return static_cast<std::uint8_t>(*value & ~first_bit);
}

Result<void, Q931Error> read_element(ByteReader& reader, Q931Message& message) {
    const std::uint8_t identifier = *reader.u8();
    if ((identifier & first_bit) != 0) return {};
    const bool user_user = identifier == element::user_user;
    const std::optional<std::uint16_t> length = user_user ? reader.u16() : std::optional<std::uint16_t>(reader.u8());
    const auto contents = length ? reader.take(*length) : std::nullopt;
    if (!contents) return fail(Q931Error::beyond_end);
    if (identifier == element::cause && !message.cause) message.cause = read_cause(*contents);
    if (!user_user) return {};
    if (contents->empty()) return fail(Q931Error::empty_user_user);
    if (message.h225) return fail(Q931Error::several_user_user);
    if (std::to_integer<std::uint8_t>(contents->front()) == h225_discriminator) message.h225 = contents->subspan(1);
    return {};
}

Result<void, Q931Error> read_header(ByteReader& reader, Q931Message& message) {
    if (reader.u8() != q931_discriminator) return fail(Q931Error::not_q931);
    const auto size = reader.u8();
    if (!size) return fail(Q931Error::beyond_end);
    if (*size > max_call_reference) return fail(Q931Error::bad_call_reference);
    const auto call_reference = reader.take(*size);
    if (!call_reference) return fail(Q931Error::beyond_end);
    message.call_reference = *call_reference;
    const auto type = reader.u8();
    if (!type) return fail(Q931Error::beyond_end);
    if ((*type & first_bit) != 0) return fail(Q931Error::bad_type);
    message.type = *type;
    return {};
}

}  // namespace

std::string_view text(Q931Error error) { return texts[std::to_underlying(error)]; }

Result<void, Q931Error> read_q931(Bytes bytes, Q931Message& message) {
    message = {};
    ByteReader reader(bytes);
    if (const auto header = read_header(reader, message); !header) return header;
    while (!reader.empty()) {
        if (const auto read = read_element(reader, message); !read) return read;
    }
    return {};
}

std::optional<std::uint8_t> peek_q931_type(Bytes beginning) {
    ByteReader reader(beginning);
    Q931Message message;
    if (!read_header(reader, message)) return std::nullopt;
    return message.type;
}

}  // namespace sallyport::h323
