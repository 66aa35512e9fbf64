// In which order the targets of a service are tried for one client.
#pragma once

#include "base/address.hpp"
#include "gate/snapshot.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace sallyport::gate {

struct Order {
    std::array<std::uint8_t, config::most_targets> index;  // into the service's targets
    std::uint8_t count = 0;

    void add(std::size_t target) { index[count++] = static_cast<std::uint8_t>(target); }
    const std::uint8_t* begin() const { return index.data(); }
    const std::uint8_t* end() const { return index.data() + count; }
};

/// Targets that are up come first, in the order that `balance` says; those that traffic found failing come last, as the
/// only ones when nothing else is left. Not in it: what is down by its checks, and what an admin has taken out.
/// @param turn  for round robin: counts the questions.
Order order_targets(const Service& service, const IpAddress& client, std::uint32_t turn);

}  // namespace sallyport::gate
