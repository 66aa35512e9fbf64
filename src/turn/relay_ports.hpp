// The ports of relays: which are in use, and which are kept for somebody (RFC 8656 section 7.2, EVEN-PORT).
#pragma once

#include "base/address.hpp"
#include "base/time.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::turn {

/// Where the relays of this node live: one on a port, on whichever of its addresses. Any thread; no lock.
class LiveRelays {
public:
    /// False: one lives on that port.
    bool claim(const SocketAddress& own) {
        std::uint32_t nobody = 0;
        if (!marks_[own.port].compare_exchange_strong(nobody, mark_of(own.ip), std::memory_order_relaxed)) return false;
        size_.fetch_add(1, std::memory_order_relaxed);
        return true;
    }
    void remove(std::uint16_t port) {
        marks_[port].store(0, std::memory_order_relaxed);
        size_.fetch_sub(1, std::memory_order_relaxed);
    }
    /// Does one live there? On the same port of another address something else may listen.
    bool contains(const SocketAddress& own) const {
        return marks_[own.port].load(std::memory_order_relaxed) == mark_of(own.ip);
    }
    std::size_t size() const { return size_.load(std::memory_order_relaxed); }

private:
    // Tells the few addresses of a node apart. Never 0: nobody lives there.
    static std::uint32_t mark_of(const IpAddress& ip) {
        return static_cast<std::uint32_t>(std::hash<IpAddress>{}(ip)) | 1U;
    }

    std::array<std::atomic<std::uint32_t>, 65536> marks_{};  // of the addresses, by port
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
        std::string user;  // for whom
    };

    /// The token; nothing when there are too many.
    std::optional<std::uint64_t> keep(const SocketAddress& own, int socket, std::string_view user, SteadyTime now);
    std::optional<Kept> take(std::uint64_t token, SteadyTime now);
    /// Those whose time is over, to be closed.
    std::vector<Kept> take_expired(SteadyTime now);
    std::size_t size() const;
    std::size_t size_of(std::string_view user) const;

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
