// Frames that were captured twice: on two interfaces of one machine, or by a mirror port that copies both ways. The
// same packet within two milliseconds; a router in between may have lowered its time to live.
#pragma once

#include "diagnose/flow.hpp"
#include "wire/packet/packet.hpp"

#include <cstdint>
#include <vector>

namespace sallyport::diagnose {

class Duplicates {
public:
    /// Has this packet been seen just now? Remembers it in any case, as long as its place is not needed for another.
    bool seen(const packet::Packet& packet, Time time);

private:
    struct Entry {
        std::uint64_t print = 0;
        Time time = 0;
    };
    std::vector<Entry> recent_ = std::vector<Entry>(16384);
};

}  // namespace sallyport::diagnose
