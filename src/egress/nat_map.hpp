// The book as a firewall needs it: which inner addresses leave by which outer one.
#pragma once

#include "egress/book.hpp"
#include "egress/people.hpp"

#include <string>
#include <vector>

namespace sallyport::egress {

struct NatEntry {
    Network client;
    IpAddress source;  // of the client's family

    auto operator<=>(const NatEntry&) const = default;
};

struct NatMap {
    std::vector<NatEntry> entries;  // sorted, each client once; longer networks hold over shorter ones
    std::vector<std::string> unplaced;  // pins of users and devices who are behind no known address: "user alice"
};

/// Every device and user whom leases or accounting place behind an address, and every address and network that is
/// pinned, with the source of each. Whom only an address tells has none here: the hash over the pool is a firewall's.
NatMap nat_map(const Book& book, const People& people);

}  // namespace sallyport::egress
