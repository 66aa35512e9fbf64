// Where a connection of a device goes, or why it goes nowhere: a pure function of what it was addressed to and what
// its ClientHello says. The bytes themselves are never altered: devices check Apple's certificate against a list of
// their own, and would see it.
#pragma once

#include "base/address.hpp"
#include "base/network_map.hpp"
#include "push/name.hpp"
#include "push/vips.hpp"
#include "telemetry/reason.hpp"
#include "wire/tls/client_hello.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace sallyport::push {

/// [push], made ready.
struct Policy {
    Vips vips{};
    std::vector<std::uint16_t> ports = {};
    std::set<PushFamily> families = {};
    bool providers = false;
    bool intercept = false;
    std::vector<Network> allow_to = {};
    Duration ttl = std::chrono::seconds(30);
    std::vector<config::ProxyUrl> via = {};
    std::vector<SocketAddress> servers = {};  // of names

    bool serves(std::uint16_t port) const;
    /// May a connection be made to this address at all? One of ours never: it would come back here.
    bool allows(const IpAddress& to) const;
};

/// One connection, as far as it is known.
struct Ask {
    SocketAddress to;                          // the own address that it came to, and the port
    std::optional<SocketAddress> original{};   // where it was going before it was redirected here
    std::optional<tls::ClientHello> hello{};   // none: its first bytes are none
    std::optional<Courier> asked{};            // the courier that this client asked DNS for last
    std::uint64_t client_hash = 0;             // the same for one client
};

struct Decision {
    telemetry::Reason reason = telemetry::Reason::ok;
    std::string detail = {};  // for people, where it is refused
    std::string host = {};    // to be resolved; empty where `address` says it
    std::optional<IpAddress> address = {};  // of a redirected connection
    std::uint16_t port = 0;

    bool admitted() const { return reason == telemetry::Reason::ok; }
};

/// How many couriers a family is taken to have where a number must be made up: they are all of one pool.
inline constexpr std::uint16_t couriers_of_family = 50;

Decision decide(const Policy& policy, const Ask& ask);

}  // namespace sallyport::push
