// Where to listen, as tables of several kinds say it.
#pragma once

#include "base/address.hpp"

#include <string>

namespace sallyport::config {

/// Where to listen. ":443" is every address of both families, on one dual-stack socket bound to [::]:443;
/// "[::]:443" is IPv6 alone, "0.0.0.0:443" is IPv4 alone.
struct ListenAddress {
    SocketAddress address;
    bool dual_stack = false;  // then address.ip is ::

    /// As it is written in the file, and as records name the listener.
    std::string to_string() const;
    bool operator==(const ListenAddress&) const = default;
};

}  // namespace sallyport::config
