// RADIUS accounting (RFC 2866) as the server reads it: who came, stays or went, and from which address.
//
// A reader and a writer of bytes alone. Whether a packet is genuine takes MD5 over a shared secret; what that is taken
// over is said here, and reckoned where the secret is.
#pragma once

#include "base/address.hpp"
#include "base/bytes.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace sallyport::radius {

inline constexpr std::size_t head_size = 20;         // octets
inline constexpr std::size_t most_of_packet = 4096;  // RFC 2865 section 3
inline constexpr std::size_t authenticator_size = 16;

/// Acct-Status-Type (RFC 2866 section 5.1), those that matter here.
enum class Status : std::uint8_t { start, stop, interim, server_on, server_off, other };

/// Views into the packet that was read.
struct Accounting {
    std::uint8_t id = 0;
    Bytes authenticator;           // 16 octets
    Status status = Status::other;
    std::string_view user;         // User-Name; empty: none
    std::string_view calling;      // Calling-Station-Id, the device's hardware address mostly
    std::string_view session;      // Acct-Session-Id
    std::optional<IpAddress> v4;   // Framed-IP-Address
    std::optional<IpAddress> v6;   // Framed-IPv6-Address (RFC 6911)
    std::optional<IpAddress> nas;  // NAS-IP-Address, or NAS-IPv6-Address (RFC 3162): the access server, whoever sends
    Bytes attributes;  // all of them, as they came
};

/// Reads an Accounting-Request. Nothing where the bytes are none: another code, a length that does not fit, an
/// attribute that overruns. Octets past the length are padding and not looked at (RFC 2865 section 3).
std::optional<Accounting> read_accounting(Bytes datagram);

/// What the Request Authenticator is the MD5 of, before the secret: the packet with 16 octets of zero in its place
/// (RFC 2866 section 3).
std::vector<std::byte> request_to_sign(const Accounting& request);

/// The Accounting-Response that acknowledges it, as it stands before the secret is appended for MD5: with the
/// request's authenticator where its own goes.
std::array<std::byte, head_size> response_to_sign(const Accounting& request);

}  // namespace sallyport::radius
