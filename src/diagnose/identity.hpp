// Who a client says it is, where a first message says so in clear: what stays the same when its address changes.
#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::diagnose {

struct Identity {
    std::string kind;  // "token", "From", "Cookie", ...
    std::string value;
    bool secret = false;  // not to be printed
    bool shared = false;  // several clients may well have the same: a user name
};

/// One connection, or flow of datagrams, whose client said it.
struct Claim {
    Identity identity{};
    std::uint32_t flow = 0;  // its number
    std::uint64_t packet = 0;
};

/// A value of a device that is not to be printed and may be long: what is compared is a digest of it.
Identity secret_identity(std::string kind, std::string_view value);

/// @param first_payload  of a connection's client, or a datagram.
std::optional<Identity> find_identity(Bytes first_payload);

}  // namespace sallyport::diagnose
