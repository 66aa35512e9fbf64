// [stun], [turn] and [[turn.user]] as plain values.
#pragma once

#include "base/address.hpp"
#include "base/time.hpp"
#include "config/listen_address.hpp"
#include "config/place.hpp"
#include "config/ports.hpp"
#include "config/words.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::config {

/// Bits a second; 0: no limit.
struct BitRate {
    std::uint64_t value = 0;

    bool operator==(const BitRate&) const = default;
};

/// How the passwords of time-limited credentials are made.
enum class SecretHash : std::uint8_t { sha1, sha256 };
template <>
inline constexpr std::array<std::string_view, 2> words_of<SecretHash>{"sha1", "sha256"};

struct Stun {
    std::vector<Located<ListenAddress>> listen;
    std::optional<std::uint16_t> alternate_port;
    std::vector<Located<Network>> kernel_nat;

    bool operator==(const Stun&) const = default;
};

/// The addresses of `listen` that NAT behavior can be discovered with (RFC 5780 section 6): two of one family, on one
/// port. Empty without alternate_port.
std::vector<std::array<SocketAddress, 2>> discovery_pairs(const Stun& stun);

struct Turn {
    using Addresses = std::vector<Located<ListenAddress>>;
    Addresses udp, tcp, tls, dtls;
    Located<std::string> realm;
    Located<bool> tcp_relays;
    Located<PortRange> relay_ports{{49152, 65535}, {}};
    std::vector<Located<IpAddress>> relay_address;  // at most one of a family; none: where the client came to
    std::vector<Located<std::string>> shared_secret;
    std::vector<Located<std::filesystem::path>> shared_secret_file;
    SecretHash shared_secret_hash = SecretHash::sha1;
    bool refresh_after_expiry = true;
    std::vector<Located<Network>> peer_deny;
    std::vector<Located<Network>> peer_allow;
    std::uint32_t allocations_per_user = 10;  // 0: no limit; so for all that follow
    std::uint32_t allocations = 0;
    Duration longest_lifetime = std::chrono::hours(1);
    BitRate bits_per_second_per_allocation;
    BitRate bits_per_second_per_user;
    BitRate bits_per_second;
    std::uint32_t bindings_per_second_per_client = 100;
    std::uint32_t challenges_per_second_per_client = 100;

    bool operator==(const Turn&) const = default;
};

struct TurnUser {
    Place place;  // of [[turn.user]]
    Located<std::string> name;
    Located<std::string> password;
    Located<std::filesystem::path> password_file;

    bool operator==(const TurnUser&) const = default;
};

}  // namespace sallyport::config
