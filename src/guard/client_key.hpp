// Who is counted as one client: an IPv4 address, or an IPv6 /64, of which a single host may use any address.
#pragma once

#include "base/address.hpp"
#include "base/time.hpp"

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace sallyport::guard {

class ClientKey {
public:
    ClientKey() = default;  // ::/64: nobody's, for loopback and what is in no network
    explicit ClientKey(const IpAddress& address)
        : bits_(address.is_v4() ? v4_mark | address.v4_host_order() : upper(address)) {}
    static ClientKey of_bits(std::uint64_t bits) {
        ClientKey key;
        key.bits_ = bits;
        return key;
    }

    std::uint64_t bits() const { return bits_; }
    bool is_nobody() const { return bits_ == 0; }

    /// 192.0.2.7/32, 2001:db8:0:1::/64
    Network network() const {
        if ((bits_ & v4_mark) == v4_mark) return {IpAddress::v4(static_cast<std::uint32_t>(bits_)), 32};
        std::array<std::uint8_t, 16> bytes{};
        for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<std::uint8_t>(bits_ >> (56 - 8 * i));
        return {IpAddress::v6(bytes), 64};
    }

    auto operator<=>(const ClientKey&) const = default;

private:
    // FF00::/8 is multicast: no client comes from there, so IPv4 has room in it.
    static constexpr std::uint64_t v4_mark = 0xFFFF'FFFF'0000'0000;

    static std::uint64_t upper(const IpAddress& address) {
        std::uint64_t out = 0;
        for (std::size_t i = 0; i < 8; ++i) out = out << 8 | address.bytes()[i];
        return out;
    }

    std::uint64_t bits_ = 0;
};

struct BannedClient {
    ClientKey client;
    SteadyTime expires;  // Entry::never: never

    bool operator==(const BannedClient&) const = default;
};

/// The network that an entry for `network` stands for: IPv6 longer than /64 is widened to the client it belongs to.
inline Network widened(const Network& network) {
    const bool longer = !network.address().is_v4() && network.bits() > 64;
    return longer ? Network(network.address(), 64) : network;
}

/// Is it one client's, and not a wider network?
inline bool is_one_client(const Network& network) { return network.bits() == (network.address().is_v4() ? 32U : 64U); }

}  // namespace sallyport::guard

template <>
struct std::hash<sallyport::guard::ClientKey> {
    std::size_t operator()(const sallyport::guard::ClientKey& key) const noexcept {
        std::uint64_t mixed = key.bits() * 0x9E3779B97F4A7C15ULL;
        mixed ^= mixed >> 32;
        return mixed * 0xBF58476D1CE4E5B9ULL;
    }
};
