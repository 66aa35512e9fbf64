// The guard's own table in the kernel, as text for nft(8): an "inet" table of no one else's, so that it neither needs
// nor touches the firewall that may be there. It refuses new connections of banned clients to this gateway's ports;
// what is established goes on.
//
// Clients stand in hashed sets and end by timeouts of the kernel's; networks and whom nothing bans stand in sets of
// intervals, which are written whole.
#pragma once

#include "base/address.hpp"
#include "guard/client_key.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::guard::kernel_rules {

inline constexpr std::string_view table = "sallyport_bans";

/// Where this gateway listens.
struct Port {
    IpAddress address = {};  // unspecified: every address of its family
    bool both_families = false;  // then the address is ::
    std::uint16_t port = 0;
    bool udp = false;  // else TCP

    bool operator==(const Port&) const = default;
};

/// What changes seldom.
struct Frame {
    std::vector<Port> ports = {};
    std::vector<Network> banned = {};   // in any order, they may overlap
    std::vector<Network> allowed = {};  // beat every ban

    bool operator==(const Frame&) const = default;
};

/// Puts the table in place of whatever has its name, without clients: in one step, as nft does each text.
std::string create(const Frame& frame);
/// Puts another frame around the clients that are there.
std::string replace(const Frame& frame);
/// Whose ban has ended by `now` is left out.
std::string add(std::span<const BannedClient> clients, SteadyTime now);
/// Whether they are there or not.
std::string remove(std::span<const ClientKey> clients);
/// Changes nothing, and fails where the table is gone.
std::string probe();
/// Takes the table away, where there is one.
std::string withdraw();

}  // namespace sallyport::guard::kernel_rules
