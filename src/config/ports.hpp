// Ports as sections name them.
#pragma once

#include <compare>
#include <cstdint>

namespace sallyport::config {

/// From `first` to `last`, both among them.
struct PortRange {
    std::uint16_t first = 0;
    std::uint16_t last = 0;

    std::uint32_t size() const { return static_cast<std::uint32_t>(last) - first + 1U; }
    auto operator<=>(const PortRange&) const = default;
};

}  // namespace sallyport::config
