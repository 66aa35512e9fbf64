// What the kernel of this machine makes of the addresses of clients that it hides behind its own (netfilter's
// connection tracking, asked by netlink).
#pragma once

#include "base/address.hpp"
#include "base/bytes.hpp"

#include <optional>
#include <vector>

namespace sallyport::turn {

/// What is asked of the kernel: the UDP connections that begin at this address and port. Linux 5.8 or later.
std::vector<std::byte> connections_query(const SocketAddress& client);

/// Gathers what the kernel answers.
class MappingSearch {
public:
    explicit MappingSearch(const SocketAddress& client) : client_(client) {}

    /// Takes what one receive gave. False: that was all.
    bool take(Bytes messages);
    /// Where all connections of the client are seen to come from. Nothing where it has none that pass the NAT, or where
    /// they come from different places: then there is no address that others could reach it at.
    std::optional<SocketAddress> found() const { return differs_ ? std::nullopt : mapped_; }

private:
    void take_connection(Bytes attributes);

    SocketAddress client_;
    std::optional<SocketAddress> mapped_;
    bool differs_ = false;
};

/// Asks the kernel; blocks for as long as that takes. Needs CAP_NET_ADMIN.
std::optional<SocketAddress> kernel_mapping(const SocketAddress& client);

}  // namespace sallyport::turn
