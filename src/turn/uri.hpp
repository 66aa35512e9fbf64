// URIs of STUN and TURN servers (RFC 7064, RFC 7065): "turn:turn.example.com:3478?transport=tcp".
#pragma once

#include "base/result.hpp"
#include "turn/outlet.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::turn {

struct Uri {
    bool relays = true;  // false: a STUN server
    bool secure = false;
    std::string host;  // a name or an address, IPv6 without brackets
    std::uint16_t port = 3478;
    std::vector<Transport> transports;  // that it means; without ?transport= all that its scheme has

    /// The error says what a URI looks like.
    static Result<Uri> parse(std::string_view text);
};

}  // namespace sallyport::turn
