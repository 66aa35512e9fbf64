// IP addresses, sockets' addresses and networks, as plain values.
//
// IPv4 is held as its IPv4-mapped IPv6 form (RFC 4291 section 2.5.5.2), so that one address has one
// representation: a client that reaches an IPv6 socket as ::ffff:192.0.2.1 is 192.0.2.1 in every rule and record.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

struct sockaddr;
struct sockaddr_storage;

namespace sallyport {

class IpAddress {
public:
    constexpr IpAddress() = default;  // ::, the unspecified address
    static IpAddress v4(std::uint32_t host_order);
    static IpAddress v6(const std::array<std::uint8_t, 16>& network_order);

    /// "192.0.2.1", "2001:db8::1"; no brackets, no zone. Nothing when it is neither.
    static std::optional<IpAddress> parse(std::string_view text);

    bool is_v4() const;
    bool is_loopback() const;     // 127.0.0.0/8 and ::1
    bool is_unspecified() const;  // 0.0.0.0 and ::
    std::uint32_t v4_host_order() const;  // only where is_v4()
    const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }

    std::string to_string() const;

    auto operator<=>(const IpAddress&) const = default;

private:
    std::array<std::uint8_t, 16> bytes_{};
};

/// An IP address and a port: one end of a connection, or where to listen.
struct SocketAddress {
    IpAddress ip;
    std::uint16_t port = 0;

    /// "192.0.2.1:443", "[2001:db8::1]:443".
    static std::optional<SocketAddress> parse(std::string_view text);
    static SocketAddress from(const sockaddr& address);

    /// Fills `storage` for the kernel and returns the length it needs. IPv4 becomes AF_INET.
    unsigned to_sockaddr(sockaddr_storage& storage) const;

    std::string to_string() const;

    auto operator<=>(const SocketAddress&) const = default;
};

/// A network in CIDR form. Host bits are cleared on the way in: 10.1.2.3/8 is 10.0.0.0/8.
class Network {
public:
    Network() = default;
    /// @param bits 0 to 32 for an IPv4 address, 0 to 128 for IPv6; more is held to the most.
    Network(IpAddress address, unsigned bits);

    /// "10.0.0.0/8", "2001:db8::/32", or one address without a slash (/32, /128).
    static std::optional<Network> parse(std::string_view text);

    bool contains(const IpAddress& address) const;
    const IpAddress& address() const { return address_; }
    unsigned bits() const { return address_.is_v4() ? mapped_bits_ - 96U : mapped_bits_; }
    unsigned mapped_bits() const { return mapped_bits_; }  // counted in the 128-bit form

    std::string to_string() const;

    auto operator<=>(const Network&) const = default;

private:
    IpAddress address_;
    std::uint8_t mapped_bits_ = 128;
};

}  // namespace sallyport

template <>
struct std::hash<sallyport::IpAddress> {
    std::size_t operator()(const sallyport::IpAddress& address) const noexcept;
};
