// The allocations of one loop: where they lie, and how they are found.
#pragma once

#include "turn/allocation.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

namespace sallyport::turn {

struct SocketAddressHash {
    std::size_t operator()(const SocketAddress& address) const noexcept {
        return std::hash<IpAddress>{}(address.ip) ^ address.port * 0x9E3779B97F4A7C15ULL;
    }
};

class AllocationTable {
public:
    /// A place for one more. It lives once it has a holding.
    std::uint32_t add(const Link& link);
    void remove(std::uint32_t index);

    Allocation& at(std::uint32_t index) { return places_[index]; }
    /// Null when there is none.
    Allocation* find(const Link& link);
    std::uint32_t index_of(const Link& link) const { return by_link_.at(link); }

    void add_relay(RelayId id);
    void remove_relay(const SocketAddress& own) { by_relay_.erase(own); }
    const RelayId* find_relay(const SocketAddress& own) const;

    std::size_t size() const { return by_link_.size(); }
    /// Calls `f(index, allocation)`; f may remove that one.
    template <class F>
    void for_each(F f) {
        for (std::uint32_t i = 0; i < places_.size(); ++i) {
            if (places_[i].lives()) f(i, places_[i]);
        }
    }

private:
    std::deque<Allocation> places_;  // never moves
    std::vector<std::uint32_t> free_;
    std::unordered_map<Link, std::uint32_t, LinkHash> by_link_;
    std::unordered_map<SocketAddress, RelayId, SocketAddressHash> by_relay_;  // own addresses
};

}  // namespace sallyport::turn
