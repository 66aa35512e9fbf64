#include "wire/radius/radius.hpp"

#include <algorithm>

namespace sallyport::radius {

namespace {

constexpr std::uint8_t accounting_request = 4;
constexpr std::uint8_t accounting_response = 5;
constexpr std::size_t head_before_authenticator = 4;

enum Attribute : std::uint8_t {
    user_name = 1,
    nas_ip_address = 4,
    framed_ip_address = 8,
    calling_station_id = 31,
    acct_status_type = 40,
    acct_session_id = 44,
    nas_ipv6_address = 95,
    framed_ipv6_address = 168,
};

Status status_of(std::uint32_t value) {
    switch (value) {
        case 1: return Status::start;
        case 2: return Status::stop;
        case 3: return Status::interim;
        case 7: return Status::server_on;
        case 8: return Status::server_off;
        default: return Status::other;
    }
}

bool take_v4(std::optional<IpAddress>& into, Bytes value) {
    if (value.size() != 4) return false;
    if (!into) into = IpAddress::v4(*ByteReader(value).u32());
    return true;
}

bool take_v6(std::optional<IpAddress>& into, Bytes value) {
    std::array<std::uint8_t, 16> octets{};
    if (value.size() != octets.size()) return false;
    std::ranges::transform(value, octets.begin(), [](std::byte one) { return std::to_integer<std::uint8_t>(one); });
    if (!into) into = IpAddress::v6(octets);
    return true;
}

// Of an attribute that stands twice the first one counts. False: its length is not what its kind has.
bool take(Accounting& out, std::uint8_t type, Bytes value) {
    const auto text = [value](std::string_view& into) {
        if (into.empty()) into = as_text(value);
        return !value.empty();
    };
    switch (type) {
        case user_name: return text(out.user);
        case calling_station_id: return text(out.calling);
        case acct_session_id: return text(out.session);
        case acct_status_type:
            if (value.size() != 4) return false;
            if (out.status == Status::other) out.status = status_of(*ByteReader(value).u32());
            return true;
        case framed_ip_address: return take_v4(out.v4, value);
        case framed_ipv6_address: return take_v6(out.v6, value);
        case nas_ip_address: return take_v4(out.nas, value);
        case nas_ipv6_address: return take_v6(out.nas, value);
        default: return true;
    }
}

void write_head(ByteWriter& out, std::uint8_t code, std::uint8_t id, std::size_t length) {
    out.u8(code);
    out.u8(id);
    out.u16(static_cast<std::uint16_t>(length));
}

}  // namespace

std::optional<Accounting> read_accounting(Bytes datagram) {
    ByteReader head(datagram);
    const auto code = head.u8();
    const auto id = head.u8();
    const auto length = head.u16();
    if (code != accounting_request || !length || *length < head_size || *length > most_of_packet) return std::nullopt;
    if (*length > datagram.size()) return std::nullopt;
    Accounting out;
    out.id = *id;
    out.authenticator = datagram.subspan(head_before_authenticator, authenticator_size);
    out.attributes = datagram.first(*length).subspan(head_size);
    ByteReader rest(out.attributes);
    while (!rest.empty()) {
        const auto type = rest.u8();
        const auto size = rest.u8();  // of type and size too
        if (!size || *size < 2) return std::nullopt;
        const auto value = rest.take(*size - 2U);
        if (!value || !take(out, *type, *value)) return std::nullopt;
    }
    return out;
}

std::vector<std::byte> request_to_sign(const Accounting& request) {
    std::vector<std::byte> out(head_size + request.attributes.size());
    ByteWriter writer(out);
    write_head(writer, accounting_request, request.id, out.size());
    writer.u64(0);
    writer.u64(0);
    writer.bytes(request.attributes);
    return out;
}

std::array<std::byte, head_size> response_to_sign(const Accounting& request) {
    std::array<std::byte, head_size> out{};
    ByteWriter writer(out);
    write_head(writer, accounting_response, request.id, head_size);
    writer.bytes(request.authenticator);
    return out;
}

}  // namespace sallyport::radius
