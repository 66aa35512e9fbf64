#include "wire/stun/fingerprint.hpp"
#include "wire/stun/message.hpp"

#include <algorithm>
#include <cstring>

namespace sallyport::stun {

namespace {

constexpr std::size_t fingerprint_size = 8;             // with its head
constexpr std::array<std::byte, 4> zeros{};

std::uint16_t type_of(Class kind, Method method) {
    const auto c = static_cast<unsigned>(kind);
    const auto m = static_cast<unsigned>(method);
    return static_cast<std::uint16_t>((m & 0xF) | (m & 0x70) << 1 | (m & 0xF80) << 2 | (c & 1) << 4 | (c & 2) << 7);
}

}  // namespace

MessageWriter::MessageWriter(MutableBytes room, Class kind, Method method, const TransactionId& transaction,
                             std::uint32_t cookie)
    : room_(room), out_(room), transaction_(transaction) {
    out_.u16(type_of(kind, method));
    out_.u16(0);
    out_.u32(cookie);
    out_.bytes(transaction);
}

void MessageWriter::begin(Attribute attribute, std::size_t size) {
    out_.u16(row_of(attribute).code);
    out_.u16(static_cast<std::uint16_t>(size));
}

void MessageWriter::pad(std::size_t size) { out_.bytes(Bytes(zeros).first(padding_after(size))); }

void MessageWriter::add(Attribute attribute, Bytes value) {
    begin(attribute, value.size());
    out_.bytes(value);
    pad(value.size());
}

void MessageWriter::add_u32(Attribute attribute, std::uint32_t value) {
    begin(attribute, 4);
    out_.u32(value);
}

void MessageWriter::add_address(Attribute attribute, const SocketAddress& address) {
    const bool is_xored = row_of(attribute).is_xored;
    const std::size_t size = address.ip.is_v4() ? 4 : 16;
    std::array<std::uint8_t, 16> mask{};
    if (is_xored) {
        mask = {0x21, 0x12, 0xA4, 0x42};
        std::memcpy(mask.data() + 4, transaction_.data(), transaction_.size());
    }
    begin(attribute, 4 + size);
    out_.u16(address.ip.is_v4() ? 1 : 2);
    out_.u16(static_cast<std::uint16_t>(address.port ^ (mask[0] << 8 | mask[1])));
    // IPv4 is held as its mapped form: its bytes are the last four.
    const auto raw = std::span(address.ip.bytes()).last(size);
    for (std::size_t i = 0; i < size; ++i) out_.u8(raw[i] ^ mask[i]);
}

void MessageWriter::add_error(std::uint16_t code, std::string_view reason) {
    begin(Attribute::error_code, 4 + reason.size());
    out_.u32(static_cast<std::uint32_t>(code / 100) << 8 | code % 100U);
    out_.text(reason);
    pad(reason.size());
}

void MessageWriter::add_family_error(std::uint8_t family, std::uint16_t code) {
    add_u32(Attribute::address_error_code,
            std::uint32_t{family} << 24 | static_cast<std::uint32_t>(code / 100) << 8 | code % 100U);
}

void MessageWriter::add_unknown(std::span<const std::uint16_t> codes) {
    begin(Attribute::unknown_attributes, 2 * codes.size());
    for (const std::uint16_t code : codes) out_.u16(code);
    pad(2 * codes.size());
}

Bytes MessageWriter::begin_integrity(std::size_t size) {
    set_length(out_.size() - header_size + 4 + size);
    return out_.written();
}

void MessageWriter::add_fingerprint() {
    set_length(out_.size() - header_size + fingerprint_size);
    add_u32(Attribute::fingerprint, fingerprint_of(out_.written()));
}

std::optional<Bytes> MessageWriter::finish_before_data(std::size_t data_size) {
    begin(Attribute::data, data_size);
    const std::size_t length = out_.size() - header_size + data_size + padding_after(data_size);
    if (!out_.ok() || length > 0xFFFF) return std::nullopt;
    set_length(length);
    return out_.written();
}

std::optional<Bytes> MessageWriter::finish() {
    if (!out_.ok()) return std::nullopt;
    set_length(out_.size() - header_size);
    return out_.written();
}

void MessageWriter::set_length(std::size_t after_header) {
    if (!out_.ok()) return;
    room_[2] = static_cast<std::byte>(after_header >> 8);
    room_[3] = static_cast<std::byte>(after_header);
}

}  // namespace sallyport::stun
