// The authority of a request, host and port (RFC 3986 section 3.2), in the one form that services are looked up by.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sallyport::http {

/// A host name or address with an optional port. Owns its text: it may outlive the bytes it was read from.
class Authority {
public:
    static constexpr std::size_t max_host = 253;  // bytes of a DNS name in text (RFC 1035 section 2.3.4)

    /// "Host.Example.:8080", "192.0.2.1", "[2001:DB8::1]:443". Lower-cased; one trailing dot goes; an IPv6 address
    /// keeps its brackets. Nothing for user names, percent escapes, empty labels, zones and ports beyond 1 to 65535; an
    /// empty port is no port (RFC 3986 section 3.2.3).
    static std::optional<Authority> parse(std::string_view text);

    std::string_view host() const { return {host_.data(), size_}; }
    std::optional<std::uint16_t> port() const { return port_ == 0 ? std::nullopt : std::optional(port_); }
    bool empty() const { return size_ == 0; }

private:
    bool set_host(std::string_view host);

    std::array<char, max_host> host_;  // only the first size_ bytes mean anything
    std::uint8_t size_ = 0;
    std::uint16_t port_ = 0;
};

}  // namespace sallyport::http
