// Longest-prefix lookup. Cost does not grow with the number of entries: one hash probe for each prefix length in use.
#pragma once

#include "base/address.hpp"

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace sallyport {

/// Networks and what belongs to each. Built once, then only read.
template <class T>
class NetworkMap {
public:
    /// A network that stands twice keeps its first value.
    void add(const Network& network, T value) {
        auto& lengths = network.address().is_v4() ? v4_ : v6_;
        auto at = lengths.begin();
        while (at != lengths.end() && at->bits > network.bits()) ++at;
        if (at == lengths.end() || at->bits != network.bits()) at = lengths.insert(at, Length{network.bits(), {}});
        if (at->entries.try_emplace(network.address(), std::move(value)).second) ++size_;
    }

    /// What belongs to the longest network that holds the address; null when none does.
    const T* find(const IpAddress& address) const {
        for (const Length& length : address.is_v4() ? v4_ : v6_) {
            const auto found = length.entries.find(Network(address, length.bits).address());
            if (found != length.entries.end()) return &found->second;
        }
        return nullptr;
    }

    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }

private:
    struct Length {
        unsigned bits;
        std::unordered_map<IpAddress, T> entries;
    };
    std::vector<Length> v4_;  // longest first
    std::vector<Length> v6_;
    std::size_t size_ = 0;
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
