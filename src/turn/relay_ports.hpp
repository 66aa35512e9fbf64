// The ports of relays: which are in use, and which are kept for somebody (RFC 8656 section 7.2, EVEN-PORT).
#pragma once

#include "base/address.hpp"
#include "base/time.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

namespace sallyport::turn {

/// The ports on which some relay of this node lives, on whichever of its addresses. Any thread; no lock.
class LivePorts {
public:
    void add(std::uint16_t port) { change(port, 1); }
    /// Adds it where nobody has: false.
    bool claim(std::uint16_t port) {
        std::int8_t none = 0;
        if (!counts_[port].compare_exchange_strong(none, 1, std::memory_order_relaxed)) return false;
        size_.fetch_add(1, std::memory_order_relaxed);
        return true;
    }
    void remove(std::uint16_t port) { change(port, -1); }
    bool contains(std::uint16_t port) const { return counts_[port].load(std::memory_order_relaxed) != 0; }
    std::size_t size() const { return size_.load(std::memory_order_relaxed); }

private:
    void change(std::uint16_t port, std::int8_t by) {
        counts_[port].fetch_add(by, std::memory_order_relaxed);
        size_.fetch_add(static_cast<std::size_t>(by), std::memory_order_relaxed);
    }

    std::array<std::atomic<std::int8_t>, 65536> counts_{};  // of relays: one for each family at the most, and address
    std::atomic<std::size_t> size_{0};
};

/// Sockets that wait for the second Allocate of a pair. It may come to another loop than the first did, so that they
/// are kept for all; taking one takes a lock for one look-up.
class Reservations {
public:
    static constexpr std::chrono::seconds lifetime{30};  // RFC 8656 section 7.2
    static constexpr std::size_t most = 1024;

    struct Kept {
        SocketAddress own;
        int socket = -1;
        SteadyTime until;
    };

    /// The token; nothing when there are too many.
    std::optional<std::uint64_t> keep(const SocketAddress& own, int socket, SteadyTime now);
    std::optional<Kept> take(std::uint64_t token, SteadyTime now);
    /// Those whose time is over, to be closed.
    std::vector<Kept> take_expired(SteadyTime now);
    std::size_t size() const;

private:
    mutable std::mutex mutex_;
    std::map<std::uint64_t, Kept> kept_;
};

/// Random ports of a range in an order that nobody can guess, each at most once where the range is small.
class PortPicker {
public:
    static constexpr std::uint32_t most_tries = 256;

    PortPicker(std::uint16_t first, std::uint16_t last);
    /// Nothing after enough tries.
    std::optional<std::uint16_t> next();

private:
    std::uint32_t first_, size_;
    std::uint32_t tries_ = 0;
    std::uint32_t start_;
};

std::uint64_t random_number();

}  // namespace sallyport::turn
