// Goes the way that devices' connections will go, before any device does: every courier by name, every address by port.
#pragma once

#include "base/time.hpp"
#include "egress/sources.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "push/decide.hpp"
#include "push/resolve.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace sallyport::push {

struct CheckedFamily {
    PushFamily family = PushFamily::courier;
    std::vector<std::uint16_t> couriers = {};  // that exist, in order
    std::string trouble = {};  // of the name servers, for people; empty: none
};

struct CheckedAddress {
    SocketAddress to;
    std::string via = {};  // the proxy; empty: none
    bool allowed = true;  // it lies in allow_to; else nothing was tried
    std::string failure = {};  // for people; empty: it connects
    Duration took{};
    std::string source = {};  // the own address that was used
};

struct Checked {
    std::vector<CheckedFamily> families = {};
    std::vector<CheckedAddress> addresses = {};

    /// Is there a courier, and a port of one that connects?
    bool works() const;
};

/// Numbers that are asked for in each family: one more than there ever were is told to be none.
inline constexpr std::uint16_t checked_numbers = 64;

/// @param sources  what connections go out from, as those of a device would
io::Task<Checked> check(io::Loop& loop, const Policy& policy, egress::Sources sources);

}  // namespace sallyport::push
