#include "diagnose/glance/stun.hpp"

#include <algorithm>
#include <cstring>

namespace sallyport::diagnose {

namespace {

constexpr std::uint32_t magic_cookie = 0x2112A442;
enum Attribute : std::uint16_t {
    mapped_address = 0x0001,
    username = 0x0006,
    error_code = 0x0009,
    xor_mapped_address = 0x0020,
    priority = 0x0024,
    use_candidate = 0x0025,
    ice_controlled = 0x8029,
    ice_controlling = 0x802A,
};

// RFC 8489 sections 14.1 and 14.2. `mask` is the cookie and the transaction, or zeros.
std::optional<SocketAddress> read_address(Bytes value, const std::array<std::uint8_t, 16>& mask) {
    ByteReader reader(value);
    reader.u8();
    const auto family = reader.u8();
    const auto port = reader.u16();
    if (!port) return std::nullopt;
    const Bytes address = reader.rest();
    SocketAddress out;
    out.port = static_cast<std::uint16_t>(*port ^ (mask[0] << 8 | mask[1]));
    if (*family == 1 && address.size() == 4) {
        const std::uint32_t masked =
            std::uint32_t{mask[0]} << 24 | std::uint32_t{mask[1]} << 16 | std::uint32_t{mask[2]} << 8 | mask[3];
        out.ip = IpAddress::v4(*ByteReader(address).u32() ^ masked);
        return out;
    }
    if (*family != 2 || address.size() != 16) return std::nullopt;
    std::array<std::uint8_t, 16> raw{};
    std::memcpy(raw.data(), address.data(), raw.size());
    for (std::size_t i = 0; i < raw.size(); ++i) raw[i] ^= mask[i];
    out.ip = IpAddress::v6(raw);
    return out;
}

void read_attribute(std::uint16_t type, Bytes value, StunGlance& out) {
    std::array<std::uint8_t, 16> mask{0x21, 0x12, 0xA4, 0x42};
    std::memcpy(mask.data() + 4, out.transaction.data(), out.transaction.size());
    switch (type) {
        case xor_mapped_address: out.mapped = read_address(value, mask); return;
        case mapped_address:
            if (!out.mapped) out.mapped = read_address(value, {});
            return;
        case error_code:
            if (value.size() >= 4) {
                out.error = static_cast<std::uint16_t>(100 * (std::to_integer<unsigned>(value[2]) & 7) +
                                                       std::to_integer<unsigned>(value[3]));
            }
            return;
        case priority: out.is_check = true; return;
        case use_candidate: out.nominates = true; return;
        case ice_controlled: out.role = StunGlance::Role::controlled; return;
        case ice_controlling: out.role = StunGlance::Role::controlling; return;
        case username: out.username = as_text(value.first(std::min(value.size(), max_username))); return;
        default: return;
    }
}

}  // namespace

std::optional<StunGlance> glance_stun(Bytes datagram) {
    ByteReader reader(datagram);
    const auto type = reader.u16(), length = reader.u16();
    const auto cookie = reader.u32();
    const auto transaction = reader.take(12);
    if (!transaction || (*type & 0xC000) != 0 || *cookie != magic_cookie || *length % 4 != 0) return std::nullopt;
    StunGlance out;
    out.kind = static_cast<StunGlance::Class>((*type >> 4 & 1) | (*type >> 7 & 2));
    out.method = static_cast<std::uint16_t>((*type & 0xF) | (*type >> 1 & 0x70) | (*type >> 2 & 0xF80));
    std::memcpy(out.transaction.data(), transaction->data(), out.transaction.size());
    while (reader.remaining() >= 4) {
        const auto name = *reader.u16();
        const std::size_t size = *reader.u16();
        const auto value = reader.take(size);
        if (!value) break;
        read_attribute(name, *value, out);
        reader.take((4 - size % 4) % 4);
    }
    return out;
}

}  // namespace sallyport::diagnose
