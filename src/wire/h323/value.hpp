// Values at marked places of an H.225.0 message: strings as UTF-8, addresses, aliases.
#pragma once

#include "base/address.hpp"
#include "wire/h323/layout.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::h323 {

/// Why a message can't be read, and at which field.
struct ReadError {
    per::Error error = per::Error::none;
    std::string_view where = {};
};
/// "gatekeeperIdentifier: more is announced than there is"
std::string text(const ReadError& error);

enum class AliasKind : std::uint8_t {
    dialled_digits,
    h323_id,
    url_id,
    transport_id,
    email_id,
    party_number,
    mobile_uim,
    isup_number,
    unknown,  // what later versions add
};
/// As H.225.0 spells it: "h323-ID".
std::string_view name(AliasKind kind);

struct Alias {
    AliasKind kind = AliasKind::unknown;
    std::string text;  // of digits, ids, and an E.164 party number; empty for the others
    bool operator==(const Alias&) const = default;
};

/// Each reads its type where `in` stands and goes on behind it. Control characters, what is no ASCII in an IA5String,
/// and half a surrogate pair in a BMPString fail.
std::string read_bmp(per::Reader& in, std::uint32_t high);
std::string read_ia5(per::Reader& in, std::uint32_t high);
std::string read_digits(per::Reader& in);
Alias read_alias(per::Reader& in);
std::vector<Alias> read_aliases(per::Reader& in);
/// Nothing for an address that is not of the Internet, and where it fails.
std::optional<SocketAddress> read_transport_address(per::Reader& in);
/// A GatekeeperIdentifier: 1 to 128 characters of UTF-16.
std::string read_gatekeeper_identifier(per::Reader& in);

}  // namespace sallyport::h323
