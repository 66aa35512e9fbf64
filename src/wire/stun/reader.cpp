#include "wire/stun/fingerprint.hpp"
#include "wire/stun/message.hpp"

#include <algorithm>
#include <cstring>

namespace sallyport::stun {

namespace {

constexpr std::size_t attribute_head = 4;
// Two bits are STUN's own zeros, and the methods that would need the next four are left to other protocols by RFC 7983.
constexpr unsigned not_a_type = 0xFC00;

// The class is spread over two bits in the midst of the method's (RFC 8489 section 5).
Class class_of(unsigned type) { return static_cast<Class>((type >> 4 & 1) | (type >> 7 & 2)); }
Method method_of(unsigned type) { return static_cast<Method>((type & 0xF) | (type >> 1 & 0x70) | (type >> 2 & 0xF80)); }

bool is_integrity(Attribute attribute) {
    return attribute == Attribute::message_integrity || attribute == Attribute::message_integrity_sha256;
}

std::array<std::byte, header_size> header_with_length(Bytes message, std::size_t length) {
    std::array<std::byte, header_size> header;
    std::memcpy(header.data(), message.data(), header.size());
    header[2] = static_cast<std::byte>(length >> 8);
    header[3] = static_cast<std::byte>(length);
    return header;
}

}  // namespace

std::string_view text(Malformed malformed) {
    switch (malformed) {
        case Malformed::not_stun: return "not a STUN message";
        case Malformed::truncated: return "a STUN message that is shorter than its header says";
        case Malformed::length: return "a STUN message whose length is wrong";
        case Malformed::overrun: return "a STUN attribute that is longer than its message";
        case Malformed::trailing: return "a STUN attribute behind FINGERPRINT";
    }
    return {};
}

std::expected<Message, Malformed> read_message(Bytes bytes, Classic classic) {
    ByteReader reader(bytes);
    const auto type = reader.u16(), length = reader.u16();
    const auto cookie = reader.u32();
    const auto transaction = reader.take(std::tuple_size_v<TransactionId>);
    if (!transaction) return std::unexpected(Malformed::truncated);
    if ((*type & not_a_type) != 0 || (*cookie != magic_cookie && classic == Classic::no))
        return std::unexpected(Malformed::not_stun);
    if (reader.remaining() < *length) return std::unexpected(Malformed::truncated);
    if (reader.remaining() > *length || *length % 4 != 0) return std::unexpected(Malformed::length);
    Message message;
    message.bytes_ = bytes;
    message.cookie_ = *cookie;
    message.kind_ = class_of(*type);
    message.method_ = method_of(*type);
    std::memcpy(message.transaction_.data(), transaction->data(), transaction->size());
    if (const auto malformed = message.read_attributes()) return std::unexpected(*malformed);
    return message;
}

// A message has at most 65555 bytes, of which the last attribute's value begins at 65552 at the latest: offsets that
// fit 16 bits are all that can have a value of any length.
std::optional<Malformed> Message::read_attributes() {
    covered_ = bytes_.size();
    std::size_t at = header_size;
    while (at < bytes_.size()) {  // in whole words, as everything here is: four bytes are there
        if (has(Attribute::fingerprint)) return Malformed::trailing;
        ByteReader head(bytes_.subspan(at, attribute_head));
        const auto code = *head.u16();
        const std::size_t size = *head.u16();
        const std::size_t value = at + attribute_head;
        if (bytes_.size() - value < size + padding_after(size)) return Malformed::overrun;
        if (take(code, value, size)) covered_ = std::min(covered_, at);
        at = value + size + padding_after(size);
    }
    return std::nullopt;
}

// Answers true for an attribute that ends what is covered.
bool Message::take(std::uint16_t code, std::size_t offset, std::size_t size) {
    const auto attribute = find_attribute(code);
    const bool covered = covered_ == bytes_.size();
    const bool follows = attribute == Attribute::fingerprint || (attribute == Attribute::message_integrity_sha256 &&
                                                                 !has(Attribute::message_integrity_sha256));
    if (!covered && !follows) return false;
    if (!attribute) {
        if (is_required(code)) take_unknown(code);
        return false;
    }
    const AttributeRow& row = row_of(*attribute);
    const bool whole_words = *attribute != Attribute::message_integrity_sha256 || size % 4 == 0;
    if ((size < row.least || size > row.most || !whole_words) && !bad_) bad_ = attribute;
    if (!has(*attribute)) {
        places_[index(*attribute)] = {static_cast<std::uint16_t>(offset), static_cast<std::uint16_t>(size)};
    }
    return is_integrity(*attribute);
}

void Message::take_unknown(std::uint16_t code) {
    if (unknown_count_ == unknown_.size() || std::ranges::find(unknown(), code) != unknown().end()) return;
    unknown_[unknown_count_++] = code;
}

Bytes Message::value(Attribute attribute) const {
    const Place& place = places_[index(attribute)];
    return bytes_.subspan(place.offset, place.size);
}

std::optional<std::uint64_t> Message::number(Attribute attribute, std::size_t width) const {
    const Bytes bytes = value(attribute);
    if (!has(attribute) || bytes.size() < width) return std::nullopt;
    std::uint64_t out = 0;
    for (const std::byte byte : bytes.first(width)) out = out << 8 | std::to_integer<std::uint64_t>(byte);
    return out;
}

std::optional<SocketAddress> Message::address(Attribute attribute) const {
    return address_in(value(attribute), row_of(attribute).is_xored);
}

std::optional<SocketAddress> Message::address_in(Bytes value, bool is_xored) const {
    ByteReader reader(value);
    reader.u8();
    const auto family = reader.u8();
    const auto port = reader.u16();
    if (!port) return std::nullopt;
    std::array<std::uint8_t, 16> raw{};
    const std::size_t size = *family == 1 ? 4 : *family == 2 ? raw.size() : 0;
    if (size == 0 || reader.remaining() != size) return std::nullopt;
    std::memcpy(raw.data(), reader.rest().data(), size);
    const Bytes mask = bytes_.subspan(4, raw.size());  // the cookie and the transaction
    for (std::size_t i = 0; is_xored && i < size; ++i) raw[i] ^= std::to_integer<std::uint8_t>(mask[i]);
    SocketAddress out;
    out.port = static_cast<std::uint16_t>(is_xored ? *port ^ (magic_cookie >> 16) : *port);
    if (size == 4) {
        out.ip = IpAddress::v4(std::uint32_t{raw[0]} << 24 | std::uint32_t{raw[1]} << 16 | std::uint32_t{raw[2]} << 8 |
                               raw[3]);
    } else {
        out.ip = IpAddress::v6(raw);
    }
    return out;
}

std::optional<IntegrityInput> Message::integrity(Attribute attribute) const {
    if (!has(attribute)) return std::nullopt;
    const Place& place = places_[index(attribute)];
    const std::size_t start = place.offset - attribute_head;
    const std::size_t end = place.offset + place.size;
    return IntegrityInput{header_with_length(bytes_, end - header_size), bytes_.first(start).subspan(header_size),
                          value(attribute)};
}

bool Message::has_valid_fingerprint() const {
    const auto claimed = number(Attribute::fingerprint, 4);
    if (!claimed) return false;
    // It is the last attribute: the header's length is the one that it was computed with.
    const std::size_t before = places_[index(Attribute::fingerprint)].offset - attribute_head;
    return *claimed == fingerprint_of(bytes_.first(before));
}

}  // namespace sallyport::stun
