// What a client is told when it asks for a name: one function for live traffic, `explain` and `dns query`.
#pragma once

#include "dns/claim.hpp"
#include "dns/zones.hpp"
#include "wire/dns/answer.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sallyport::dns {

enum class Outcome : std::uint8_t {
    refused,   // the client is not in `clients`
    unserved,  // a class or an operation that is not for a forwarder: REFUSED
    claimed,   // another room answers (dns/claim.hpp)
    local,     // a local name, and it has what was asked for
    no_data,   // a local name that has no such type
    denied,    // under a name of `deny`: NXDOMAIN
    absent,    // a special name that nobody outside knows anything of: NXDOMAIN
    forward,   // to the upstreams of `group`
    nowhere,   // not ours, and there is no upstream: REFUSED
};

/// "local", "no data"
std::string_view name(Outcome outcome);

/// A rule that was looked at, in order.
struct Step {
    std::string rule;
    config::Place place;
    std::string result;
};
using Trail = std::vector<Step>;

struct Decision {
    Outcome outcome = Outcome::refused;
    const View* view = nullptr;  // null: refused before it mattered
    LocalName local = {};  // local, no_data, absent
    RecordSet set = {};    // local
    const UpstreamGroup* group = nullptr;
    std::size_t group_index = 0;
    bool private_allowed = false;  // forwarded: the answer may hold addresses of private networks
    std::optional<Claim> claim = {};
};

struct Question {
    Bytes name;  // in wire form without compression
    std::uint16_t type = 0;
    std::uint16_t qclass = class_in;
    IpAddress client;
};

/// @param key     of the question's name, with the zones' seed
/// @param claims  null: nobody claims names
/// @param trail   null: nobody wants to know why
Decision decide(const Zones& zones, const Question& question, const NameKey& key, Claims* claims, Trail* trail);

/// Writes the answer that follows from a decision alone: everything but `forward` and what is unsettled.
Bytes write_answer(MutableBytes room, const Asked& asked, std::uint16_t type, const Decision& decision);

}  // namespace sallyport::dns
