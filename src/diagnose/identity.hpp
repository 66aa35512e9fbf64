// Who a client says it is, where a first message says so in clear: what stays the same when its address changes.
#pragma once

#include "base/bytes.hpp"

#include <optional>
#include <string>

namespace sallyport::diagnose {

struct Identity {
    std::string kind;  // "token", "From", "Cookie", ...
    std::string value;
    bool secret = false;  // not to be printed
    bool shared = false;  // several clients may well have the same: a user name
};

/// @param first_payload  of a connection's client, or a datagram.
std::optional<Identity> find_identity(Bytes first_payload);

}  // namespace sallyport::diagnose
