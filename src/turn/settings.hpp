// What a TURN server goes by: plain values, made of the configuration, shared by all loops, replaced by a reload.
#pragma once

#include "base/address.hpp"
#include "base/network_map.hpp"
#include "base/time.hpp"
#include "turn/credentials.hpp"
#include "turn/peer_policy.hpp"
#include "turn/quotas.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace sallyport::turn {

/// What an outer NAT maps to addresses of this node.
struct NatMap {
    struct Pair {
        IpAddress outside;
        IpAddress own;
    };
    std::vector<Pair> pairs;

    /// The address itself where nothing is mapped.
    IpAddress outside_of(const IpAddress& own) const;
    IpAddress own_of(const IpAddress& outside) const;
};

struct Settings {
    Credentials credentials;
    PeerPolicy peers;
    NatMap nat_map;
    std::vector<IpAddress> relay_addresses;  // own ones, the first of a family; none: the one that the client reached
    std::uint16_t first_relay_port = 49152;
    std::uint16_t last_relay_port = 65535;
    Quotas::Limits allocations = {};
    Duration longest_lifetime = std::chrono::hours(1);
    std::uint64_t allocation_bits_per_second = 0;  // 0: no limit; so for the next four
    std::uint64_t user_bits_per_second = 0;
    std::uint64_t node_bits_per_second = 0;
    std::uint32_t bindings_per_second = 0;  // of one source
    std::uint32_t challenges_per_second = 0;  // of one source
    NetworkSet proxy_from = {};  // whose connections begin with a PROXY header
    std::uint32_t connections_per_client = 0;  // 0: a share of all that there may be
    bool refresh_after_expiry = true;  // may a time-limited credential go on being used for what it has allocated?
};

using SettingsHandle = std::shared_ptr<const Settings>;

inline IpAddress NatMap::outside_of(const IpAddress& own) const {
    for (const Pair& pair : pairs) {
        if (pair.own == own) return pair.outside;
    }
    return own;
}

inline IpAddress NatMap::own_of(const IpAddress& outside) const {
    for (const Pair& pair : pairs) {
        if (pair.outside == outside) return pair.own;
    }
    return outside;
}

}  // namespace sallyport::turn
