#include "wire/h323/value.hpp"

#include "wire/h323/h225.hpp"

#include <algorithm>
#include <array>

namespace sallyport::h323 {

namespace {

constexpr std::array<std::string_view, 9> alias_names = {"dialledDigits", "h323-ID",    "url-ID",
                                                         "transportID",   "email-ID",   "partyNumber",
                                                         "mobileUIM",     "isupNumber", "unknown alias"};
static_assert(std::to_underlying(AliasKind::unknown) + 1 == alias_names.size());

constexpr std::string_view digit_letters = "#*,0123456789";  // in the order of their codes

bool is_control(std::uint32_t character) { return character < 0x20 || character == 0x7F; }
bool is_surrogate(std::uint32_t unit) { return unit >= 0xD800 && unit < 0xE000; }
bool is_high_surrogate(std::uint32_t unit) { return unit >= 0xD800 && unit < 0xDC00; }

void append_utf8(std::string& out, std::uint32_t character) {
    const auto put = [&out](std::uint32_t octet) { out += static_cast<char>(octet); };
    const auto put_rest = [&](int shift) {
        for (; shift >= 0; shift -= 6) put(0x80 | (character >> shift & 0x3F));
    };
    if (character < 0x80) return put(character);
    if (character < 0x800) {
        put(0xC0 | character >> 6);
        return put_rest(0);
    }
    if (character < 0x10000) {
        put(0xE0 | character >> 12);
        return put_rest(6);
    }
    put(0xF0 | character >> 18);
    put_rest(12);
}

}  // namespace

std::string text(const ReadError& error) {
    const std::string_view what = per::text(error.error);
    return error.where.empty() ? std::string(what) : std::string(error.where) + ": " + std::string(what);
}

std::string_view name(AliasKind kind) { return alias_names[std::to_underlying(kind)]; }

std::string read_bmp(per::Reader& in, std::uint32_t high) {
    ByteReader units(in.octets(2 * in.length(1, high)));
    std::string out;
    while (!units.empty()) {
        std::uint32_t character = *units.u16();
        if (is_surrogate(character)) {
            const std::uint32_t low = units.u16().value_or(0);
            if (!is_high_surrogate(character) || !is_surrogate(low) || is_high_surrogate(low)) {
                in.fail(per::Error::bad_character);
                return {};
            }
            character = 0x10000 + ((character & 0x3FF) << 10) + (low & 0x3FF);
        }
        if (is_control(character)) {
            in.fail(per::Error::bad_character);
            return {};
        }
        append_utf8(out, character);
    }
    return out;
}

std::string read_ia5(per::Reader& in, std::uint32_t high) {
    const std::string_view characters = as_text(in.octets(in.length(1, high)));
    const bool sound = std::ranges::all_of(characters, [](char c) {
        const auto octet = static_cast<unsigned char>(c);
        return octet < 0x80 && !is_control(octet);
    });
    if (!sound) in.fail(per::Error::bad_character);
    return sound ? std::string(characters) : std::string();
}

std::string read_digits(per::Reader& in) {
    const std::size_t count = in.length(1, 128);
    in.align();
    std::string out;
    for (std::size_t i = 0; i < count && in.ok(); ++i) {
        const std::size_t letter = in.bits(4);
        if (letter >= digit_letters.size()) in.fail(per::Error::bad_character);
        if (in.ok()) out += digit_letters[letter];
    }
    return out;
}

Alias read_alias(per::Reader& in) {
    Chosen chosen = read_choice(in, h225::alias_address);
    per::Reader& value = chosen.addition ? chosen.inside : in;
    if (!in.ok()) return {};
    const auto kind =
        static_cast<AliasKind>(std::min(chosen.index, std::size_t{std::to_underlying(AliasKind::unknown)}));
    Alias alias{.kind = kind, .text = {}};
    switch (kind) {
        case AliasKind::dialled_digits: alias.text = read_digits(value); break;
        case AliasKind::h323_id: alias.text = read_bmp(value, 256); break;
        case AliasKind::url_id:
        case AliasKind::email_id: alias.text = read_ia5(value, 512); break;
        case AliasKind::party_number: {
            const Chosen number = read_choice(value, h225::party_number);
            if (number.index != 0 || number.addition || !value.ok()) break;
            Places places;
            read_sequence(value, h225::public_party_number, places);
            if (const per::Reader* at = places.at(Mark::content)) {
                per::Reader digits = *at;
                alias.text = read_digits(digits);
            }
            break;
        }
        case AliasKind::transport_id:
        case AliasKind::mobile_uim:
        case AliasKind::isup_number:
        case AliasKind::unknown: break;
    }
    if (!value.ok()) in.fail(value.error());
    return alias;
}

std::vector<Alias> read_aliases(per::Reader& in) {
    const std::size_t count = in.length();
    if (count > max_elements) in.fail(per::Error::too_many);
    std::vector<Alias> out;
    for (std::size_t i = 0; i < count && in.ok(); ++i) out.push_back(read_alias(in));
    return out;
}

std::optional<SocketAddress> read_transport_address(per::Reader& in) {
    const per::Reader start = in;
    skip(in, h225::transport_address);
    per::Reader inside = start;
    const Chosen chosen = read_choice(inside, h225::transport_address);
    if (!in.ok() || chosen.addition) return std::nullopt;
    constexpr std::size_t ip_address = 0;
    constexpr std::size_t ip6_address = 3;
    std::optional<SocketAddress> out;
    if (chosen.index == ip_address) {
        const auto ip = ByteReader(inside.octets(4)).u32();
        if (ip) out = SocketAddress{.ip = IpAddress::v4(*ip)};
    } else if (chosen.index == ip6_address) {
        inside.bit();  // its own "..."
        const Bytes octets = inside.octets(16);
        std::array<std::uint8_t, 16> ip{};
        for (std::size_t i = 0; i < octets.size(); ++i) ip[i] = std::to_integer<std::uint8_t>(octets[i]);
        out = SocketAddress{.ip = IpAddress::v6(ip)};
    }
    if (out) out->port = static_cast<std::uint16_t>(inside.number(0, 65535));
    return out;
}

std::string read_gatekeeper_identifier(per::Reader& in) { return read_bmp(in, h225::gatekeeper_identifier.high); }

}  // namespace sallyport::h323
