// How many connections each client holds, over all loops: so that one address can't take every place there is.
#pragma once

#include "base/address.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>

namespace sallyport::listeners {

/// A client is an IPv4 address or an IPv6 /64. Any thread; the table is cut into parts with a lock each, held for one
/// look-up, so that loops hardly ever meet at one.
class ClientCounts {
public:
    /// Counts one connection more. False, and nothing is counted, when the client holds `most` already.
    bool enter(const IpAddress& client, std::uint32_t most);
    void leave(const IpAddress& client);
    /// Of all clients together.
    std::uint32_t total() const { return total_.load(std::memory_order_relaxed); }

    /// What one client may hold. @param configured  0: three quarters of `capacity`, so that nobody takes every place
    static std::uint32_t share_of(std::uint32_t configured, std::size_t capacity);

private:
    static constexpr std::size_t parts = 64;
    struct alignas(64) Part {
        std::mutex mutex;
        std::unordered_map<IpAddress, std::uint32_t> held;  // no entry: none
    };

    Part& part_of(const IpAddress& client);

    std::array<Part, parts> parts_;
    std::atomic<std::uint32_t> total_{0};
};

}  // namespace sallyport::listeners
