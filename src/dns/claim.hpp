// How another room answers a name: it is asked before the local names, by whoever asks from a network of `clients`.
//
// A room that wants to answer names (push/ answers those of Apple's couriers) derives from Claims and hands one object
// a data loop to the Server there. What it does not claim goes its usual way.
#pragma once

#include "base/address.hpp"
#include "io/task.hpp"
#include "wire/dns/name.hpp"

#include <cstdint>
#include <optional>

namespace sallyport::dns {

/// The question as it is put to a claimant. The name's octets are gone when the call returns.
struct ClaimQuestion {
    Bytes name;  // in wire form without compression, in the case it was asked in
    std::uint16_t type = 0;
    IpAddress client;
    std::uint32_t view = 0;  // its place among the views of the configuration, from 1; 0: in none
};

/// What a claimant says of a name that is its own. The name owns all its types: what is not an address of this family
/// is answered with NODATA.
struct Claim {
    enum class State : std::uint8_t {
        exists,     // answered with the addresses
        absent,     // NXDOMAIN
        unsettled,  // not known yet: settle() finds out
    };

    State state = State::exists;
    IpAddress v4 = {};       // for A; unspecified: none
    IpAddress v6 = {};       // for AAAA; unspecified: none
    std::uint32_t ttl = 30;  // seconds
};

/// Belongs to the thread of its loop.
class Claims {
public:
    virtual ~Claims() = default;

    /// Is this name claimed? Asked for every question, so it must be quick: it neither waits nor allocates.
    virtual std::optional<Claim> claim(const ClaimQuestion& question) = 0;

    /// Finds out what claim() left unsettled, for example by asking a name server. Whoever asked waits for it; an
    /// answer that is unsettled still becomes SERVFAIL.
    virtual io::Task<Claim> settle(Name name, IpAddress client) = 0;
};

}  // namespace sallyport::dns
