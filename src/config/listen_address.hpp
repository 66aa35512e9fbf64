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

/// Could both not be bound at once? A wildcard takes its port on every address of its family.
inline bool overlap(const ListenAddress& a, const ListenAddress& b) {
    const auto covers = [](const ListenAddress& all, const ListenAddress& one) {
        return all.dual_stack || (all.address.ip.is_unspecified() && all.address.ip.is_v4() == one.address.ip.is_v4());
    };
    return a.address.port == b.address.port && (a.address.ip == b.address.ip || covers(a, b) || covers(b, a));
}

}  // namespace sallyport::config
