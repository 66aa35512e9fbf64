// Longest-prefix lookup. Cost does not grow with the number of entries: one hash probe for each prefix length in use,
// in flat tables whose cache lines are fetched side by side.
#pragma once

#include "base/address.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

namespace sallyport {

/// Networks and what belongs to each. Built once, then only read. At most 2^31 networks.
template <class T>
class NetworkMap {
public:
    /// A network that stands twice keeps its first value.
    void add(const Network& network, T value) {
        auto& lengths = network.address().is_v4() ? v4_ : v6_;
        auto at = lengths.begin();
        while (at != lengths.end() && at->bits > network.bits()) ++at;
        if (at == lengths.end() || at->bits != network.bits()) at = lengths.insert(at, Length{network.bits()});
        if (at->slots.size() < 2 * (at->used + 1)) grow(*at);
        Slot& slot = place_of(*at, network.address());
        if (slot.value != 0) return;
        values_.push_back(std::move(value));
        slot = {network.address(), static_cast<std::uint32_t>(values_.size())};
        ++at->used;
    }

    /// What belongs to the longest network that holds the address; null when none does.
    const T* find(const IpAddress& address) const {
        const auto& lengths = address.is_v4() ? v4_ : v6_;
        std::array<std::size_t, 129> places;  // one for each length there can be; only those in use are written
        for (std::size_t i = 0; i < lengths.size(); ++i) {
            places[i] = first_place(lengths[i], Network(address, lengths[i].bits).address());
            __builtin_prefetch(&lengths[i].slots[places[i]]);
        }
        for (std::size_t i = 0; i < lengths.size(); ++i) {
            const Slot& slot = place_from(lengths[i], places[i], Network(address, lengths[i].bits).address());
            if (slot.value != 0) return &values_[slot.value - 1];
        }
        return nullptr;
    }

    std::size_t size() const { return values_.size(); }
    bool empty() const { return values_.empty(); }

private:
    struct Slot {
        IpAddress key;
        std::uint32_t value = 0;  // its place in values_, from 1; 0: free
    };
    struct Length {
        unsigned bits;
        std::size_t used = 0;
        std::vector<Slot> slots{4};  // a power of two, at most half full
    };

    static std::size_t first_place(const Length& length, const IpAddress& key) {
        return std::hash<IpAddress>{}(key) & (length.slots.size() - 1);
    }
    template <class L>
    static auto& place_of(L& length, const IpAddress& key) {
        return place_from(length, first_place(length, key), key);
    }
    // The slot that holds the key, or the free one where it belongs.
    template <class L>
    static auto& place_from(L& length, std::size_t at, const IpAddress& key) {
        while (length.slots[at].value != 0 && length.slots[at].key != key) at = (at + 1) & (length.slots.size() - 1);
        return length.slots[at];
    }
    static void grow(Length& length) {
        const std::vector<Slot> old = std::exchange(length.slots, std::vector<Slot>(2 * length.slots.size()));
        for (const Slot& slot : old) {
            if (slot.value != 0) place_of(length, slot.key) = slot;
        }
    }

    std::vector<Length> v4_;  // longest first
    std::vector<Length> v6_;
    std::vector<T> values_;
};

/// Is this address in any of these networks?
class NetworkSet {
public:
    NetworkSet() = default;
    explicit NetworkSet(std::span<const Network> networks) {
        for (const auto& network : networks) add(network);
    }
    void add(const Network& network) { map_.add(network, network); }
    bool contains(const IpAddress& address) const { return map_.find(address) != nullptr; }
    /// The longest network that holds the address, for explanations; null when none does.
    const Network* match(const IpAddress& address) const { return map_.find(address); }
    bool empty() const { return map_.empty(); }

private:
    NetworkMap<Network> map_;
};

}  // namespace sallyport
