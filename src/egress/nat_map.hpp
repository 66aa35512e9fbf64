// The book as a firewall needs it: which inner addresses leave by which outer one.
#pragma once

#include "egress/book.hpp"
#include "egress/people.hpp"

#include <vector>

namespace sallyport::egress {

struct NatEntry {
    Network client;
    IpAddress source;  // of the client's family

    auto operator<=>(const NatEntry&) const = default;
};

/// Every client and network that has a source at present, sorted, each once. Longer networks hold over shorter ones. A
/// client that nothing is known of has no line: it gets one once it has been seen (Book::choose).
std::vector<NatEntry> nat_map(const Book& book, const People& people);

}  // namespace sallyport::egress
