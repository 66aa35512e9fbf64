// The attributes of STUN and its kin, as one table: number, name, what the value is and how long it may be.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sallyport::stun {

/// In the order of attribute_table.
enum class Attribute : std::uint8_t {
    mapped_address,
    change_request,
    source_address,
    changed_address,
    username,
    message_integrity,
    error_code,
    unknown_attributes,
    channel_number,
    lifetime,
    xor_peer_address,
    data,
    realm,
    nonce,
    xor_relayed_address,
    requested_address_family,
    even_port,
    requested_transport,
    dont_fragment,
    message_integrity_sha256,
    password_algorithm,
    userhash,
    xor_mapped_address,
    reservation_token,
    priority,
    use_candidate,
    padding,
    response_port,
    connection_id,
    additional_address_family,
    address_error_code,
    password_algorithms,
    icmp,
    software,
    alternate_server,
    fingerprint,
    ice_controlled,
    ice_controlling,
    response_origin,
    other_address,
};

struct AttributeRow {
    std::uint16_t code;
    std::string_view name;
    std::uint16_t least;  // bytes of the value
    std::uint16_t most;
    bool is_xored = false;  // an address, hidden from NATs that rewrite what looks like one (RFC 8489 section 14.2)
};

/// RFC 8489 section 14, RFC 8656 section 18, RFC 6062 section 6.2, RFC 5780 section 7, RFC 8445 section 16.1, RFC 3489
/// section 11.2.
/// Lengths of text are those of the RFCs in bytes: 508 for a name, 763 for what is "less than 128 characters".
inline constexpr std::array<AttributeRow, 40> attribute_table{{
    {0x0001, "MAPPED-ADDRESS", 8, 20},
    {0x0003, "CHANGE-REQUEST", 4, 4},
    {0x0004, "SOURCE-ADDRESS", 8, 20},
    {0x0005, "CHANGED-ADDRESS", 8, 20},
    {0x0006, "USERNAME", 0, 508},
    {0x0008, "MESSAGE-INTEGRITY", 20, 20},
    {0x0009, "ERROR-CODE", 4, 767},
    {0x000A, "UNKNOWN-ATTRIBUTES", 0, 0xFFFF},
    {0x000C, "CHANNEL-NUMBER", 4, 4},
    {0x000D, "LIFETIME", 4, 4},
    {0x0012, "XOR-PEER-ADDRESS", 8, 20, true},
    {0x0013, "DATA", 0, 0xFFFF},
    {0x0014, "REALM", 0, 763},
    {0x0015, "NONCE", 0, 763},
    {0x0016, "XOR-RELAYED-ADDRESS", 8, 20, true},
    {0x0017, "REQUESTED-ADDRESS-FAMILY", 4, 4},
    {0x0018, "EVEN-PORT", 1, 1},
    {0x0019, "REQUESTED-TRANSPORT", 4, 4},
    {0x001A, "DONT-FRAGMENT", 0, 0},
    {0x001C, "MESSAGE-INTEGRITY-SHA256", 16, 32},
    {0x001D, "PASSWORD-ALGORITHM", 4, 0xFFFF},
    {0x001E, "USERHASH", 32, 32},
    {0x0020, "XOR-MAPPED-ADDRESS", 8, 20, true},
    {0x0022, "RESERVATION-TOKEN", 8, 8},
    {0x0024, "PRIORITY", 4, 4},
    {0x0025, "USE-CANDIDATE", 0, 0},
    {0x0026, "PADDING", 0, 0xFFFF},
    {0x0027, "RESPONSE-PORT", 4, 4},
    {0x002A, "CONNECTION-ID", 4, 4},
    {0x8000, "ADDITIONAL-ADDRESS-FAMILY", 4, 4},
    {0x8001, "ADDRESS-ERROR-CODE", 4, 767},
    {0x8002, "PASSWORD-ALGORITHMS", 4, 0xFFFF},
    {0x8004, "ICMP", 8, 8},
    {0x8022, "SOFTWARE", 0, 763},
    {0x8023, "ALTERNATE-SERVER", 8, 20},
    {0x8028, "FINGERPRINT", 4, 4},
    {0x8029, "ICE-CONTROLLED", 8, 8},
    {0x802A, "ICE-CONTROLLING", 8, 8},
    {0x802B, "RESPONSE-ORIGIN", 8, 20},
    {0x802C, "OTHER-ADDRESS", 8, 20},
}};
static_assert(attribute_table.size() == static_cast<std::size_t>(Attribute::other_address) + 1);

constexpr std::size_t index(Attribute attribute) { return static_cast<std::size_t>(attribute); }
constexpr const AttributeRow& row_of(Attribute attribute) { return attribute_table[index(attribute)]; }

namespace detail {

// All codes are below 0x40 in their half of the range: two small arrays find the row.
inline constexpr std::uint8_t no_row = 0xFF;
inline constexpr auto rows_by_code = [] {
    std::array<std::array<std::uint8_t, 0x40>, 2> rows{};
    for (auto& half : rows) half.fill(no_row);
    for (std::size_t i = 0; i < attribute_table.size(); ++i) {
        rows[attribute_table[i].code >> 15][attribute_table[i].code & 0x7FFF] = static_cast<std::uint8_t>(i);
    }
    return rows;
}();

}  // namespace detail

/// Nothing for a code that no RFC of ours knows.
constexpr std::optional<Attribute> find_attribute(std::uint16_t code) {
    const std::size_t place = code & 0x7FFFU;
    const auto& half = detail::rows_by_code[code >> 15];
    if (place >= half.size() || half[place] == detail::no_row) return std::nullopt;
    return static_cast<Attribute>(half[place]);
}

/// One that its receiver must know, or else refuse the request (RFC 8489 section 14).
constexpr bool is_required(std::uint16_t code) { return code < 0x8000; }

}  // namespace sallyport::stun
