// The addresses of a network by number.
#pragma once

#include "base/address.hpp"

#include <cstddef>
#include <cstdint>

namespace sallyport {

/// The address `n` after this one, with the carry from octet to octet. Beyond the last one it begins anew.
inline IpAddress nth_after(const IpAddress& first, std::size_t n) {
    auto bytes = first.bytes();
    for (std::size_t at = bytes.size(); at-- > 0 && n != 0;) {
        n += bytes[at];
        bytes[at] = static_cast<std::uint8_t>(n);
        n >>= 8;
    }
    return IpAddress::v6(bytes);
}

}  // namespace sallyport
