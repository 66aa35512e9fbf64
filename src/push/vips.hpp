// The addresses that stand for couriers inside: a whole prefix, of which each courier has one, or a single address.
#pragma once

#include "base/address.hpp"
#include "push/name.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace sallyport::push {

class Vips {
public:
    Vips() = default;
    explicit Vips(std::span<const Network> networks) : networks_(networks.begin(), networks.end()) {}

    /// What is answered for a courier: of each family of addresses the first network that has room for it. A network
    /// of one address stands for all couriers. Of a longer one the courier's is the base and its number; networks are
    /// routes here, so the first and the last address are as good as any. Unspecified: none.
    struct Answer {
        IpAddress v4{};
        IpAddress v6{};
    };
    Answer of(std::uint16_t number) const;
    /// For a sender's server: in a longer network beyond the couriers, from 192 on.
    Answer of(Provider provider) const;

    /// Is a connection to this address for us?
    bool contains(const IpAddress& address) const;
    /// What the address says of the courier meant; nothing where it stands for all, or is none.
    std::optional<std::uint16_t> number_at(const IpAddress& address) const;
    std::optional<Provider> provider_at(const IpAddress& address) const;

    bool empty() const { return networks_.empty(); }
    const std::vector<Network>& networks() const { return networks_; }

private:
    Answer at(std::uint16_t place) const;
    std::optional<std::uint16_t> place_of(const IpAddress& address) const;

    std::vector<Network> networks_;
};

}  // namespace sallyport::push
