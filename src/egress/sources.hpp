// The own addresses that somebody's connections go out from: one for each family.
#pragma once

#include "base/address.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace sallyport::egress {

enum class Family : std::uint8_t { v4, v6 };
inline constexpr std::array families{Family::v4, Family::v6};

inline Family family_of(const IpAddress& address) { return address.is_v4() ? Family::v4 : Family::v6; }

/// None for a family: the kernel's choice.
struct Sources {
    std::array<std::optional<IpAddress>, families.size()> of_family{};

    const std::optional<IpAddress>& of(Family family) const { return of_family[static_cast<std::size_t>(family)]; }
    std::optional<IpAddress>& of(Family family) { return of_family[static_cast<std::size_t>(family)]; }
    /// What connections to this address go out from.
    const std::optional<IpAddress>& towards(const IpAddress& to) const { return of(family_of(to)); }

    bool operator==(const Sources&) const = default;
};

}  // namespace sallyport::egress
