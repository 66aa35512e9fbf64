// What a TURN server goes by: plain values, made of the configuration, shared by all loops, replaced by a reload.
#pragma once

#include "base/address.hpp"
#include "base/network_map.hpp"
#include "base/time.hpp"
#include "turn/credentials.hpp"
#include "turn/peer_policy.hpp"
#include "turn/quotas.hpp"

#include <array>
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

/// What clients discover their NAT's behavior with (RFC 5780 section 6): two own addresses of a family, each of which
/// answers on both ports.
struct DiscoveryPlaces {
    std::array<IpAddress, 2> addresses;
    std::array<std::uint16_t, 2> ports;

    /// The place that is reached from `local` by changing what is said. Nothing where `local` is none of them.
    std::optional<SocketAddress> other(const SocketAddress& local, bool address, bool port) const;
};

struct Settings {
    Credentials credentials;
    PeerPolicy peers;
    NatMap nat_map;
    std::vector<DiscoveryPlaces> discovery = {};
    std::vector<Network> kernel_nat = {};  // whose clients this machine's kernel hides behind itself
    bool tcp_relays = false;  // may clients of streams have them? (RFC 6062)
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

inline std::optional<SocketAddress> DiscoveryPlaces::other(const SocketAddress& local, bool address, bool port) const {
    for (const bool second : {false, true}) {
        for (const bool alternate : {false, true}) {
            if (local == SocketAddress{addresses[second], ports[alternate]})
                return SocketAddress{addresses[second != address], ports[alternate != port]};
        }
    }
    return std::nullopt;
}

}  // namespace sallyport::turn
