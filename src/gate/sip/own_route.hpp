// The gateway in the routes of dialogs (`route_header`): what it puts there for others to come back by, and takes out
// again when they do.
#pragma once

#include "base/address.hpp"
#include "base/bytes.hpp"
#include "config/config.hpp"
#include "wire/sip/host.hpp"
#include "wire/sip/message.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::gate::sip {

/// One side of the gateway, as those on that side reach it.
struct Hop {
    SocketAddress address;
    bool tls = false;

    /// "<sip:hq.example.com@203.0.113.10:5061;transport=tls;lr>".
    /// @param user  may be empty
    std::string uri(std::string_view user = {}) const;
};

/// The side of a client that is connected to `own`: behind a NAT that nat_map tells of, its public address.
Hop outer_hop(const SocketAddress& own, bool tls, std::span<const config::Located<config::NatMapping>> nat_map);

/// The domain that a request within a dialog belongs to whose route leads over us: it stands in the entry that we put
/// there. So a client that has lost its connection comes back to its service, whatever its From says.
std::optional<sallyport::sip::Host> domain_in_route(const sallyport::sip::Message& request, const Hop& outer);

/// Both sides of one connection.
class OwnRoute {
public:
    /// @param domain  that the connection was routed by; empty: none
    OwnRoute(Hop outer, Hop inner, std::string_view domain);

    enum class Towards : std::uint8_t { target, client };

    /// The head of a request as it goes on: without our entries at the top of Route; with Record-Route where it may
    /// begin a dialog, of both sides, the one that the request leaves by on top (RFC 3261 section 16.6, RFC 5658); with
    /// Path in a REGISTER towards the target (RFC 3327), which so finds the client's own connection again.
    std::string rewrite(const sallyport::sip::Message& request, Bytes head, Towards towards) const;

private:
    struct Cut {  // of a head, in bytes
        std::size_t begin;
        std::size_t end;
    };

    bool is_ours(std::string_view entry) const;
    std::vector<Cut> own_entries(const sallyport::sip::Message& request, std::string_view head) const;

    Hop outer_;
    Hop inner_;
    std::string outer_uri_;
    std::string inner_uri_;
};

}  // namespace sallyport::gate::sip
