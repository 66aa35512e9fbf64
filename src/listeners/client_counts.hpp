// How many connections each client holds, over all loops: so that one address can't take every place there is.
#pragma once

#include "base/address.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <utility>

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

/// A place among those of its client; given back with the object.
class ClientPlace {
public:
    ClientPlace() = default;  // none
    /// None where the client holds `most` already. @param counts  outlives it
    ClientPlace(ClientCounts& counts, const IpAddress& client, std::uint32_t most)
        : counts_(counts.enter(client, most) ? &counts : nullptr), client_(client) {}
    ClientPlace(ClientPlace&& other) noexcept
        : counts_(std::exchange(other.counts_, nullptr)), client_(other.client_) {}
    ClientPlace& operator=(ClientPlace&&) = delete;
    ~ClientPlace() {
        if (counts_ != nullptr) counts_->leave(client_);
    }
    explicit operator bool() const { return counts_ != nullptr; }

private:
    ClientCounts* counts_ = nullptr;
    IpAddress client_;
};

}  // namespace sallyport::listeners
