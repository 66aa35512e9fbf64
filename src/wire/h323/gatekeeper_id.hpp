// What names in H.323 say about where to go: the gatekeeper id of a registration, and the domain in an alias.
#pragma once

#include "base/result.hpp"
#include "wire/h323/value.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::h323 {

inline constexpr std::size_t max_gatekeeper_id = 128;  // characters: GatekeeperIdentifier ::= BMPString (SIZE(1..128))

/// "[physical-location@]domain[/registration-location[:standby-location]]", as innovaphone's phones write it.
struct GatekeeperId {
    std::string name;  // without the physical location, in lower case: "example.com/hq:hq-standby"
    /// What it stands for where nobody has that very name: its primary and its standby location, each a name of its
    /// own. Empty where it has only one.
    std::vector<std::string> parts;
};

/// A phrase for people where the text is none, in lower case, without a period.
Result<GatekeeperId, std::string_view> read_gatekeeper_id(std::string_view text);

/// The domain that an alias belongs to, in lower case, without a final dot: behind the last "@" of an h323-ID, a url-ID
/// or an email-ID, or a url-ID that is a host alone. Nothing: it names none.
std::optional<std::string> domain_of(const Alias& alias);

/// Of the first alias that has one.
std::optional<std::string> domain_of(const std::vector<Alias>& aliases);

}  // namespace sallyport::h323
