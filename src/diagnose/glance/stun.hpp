// What a diagnosis must know of a STUN message (RFC 8489): which transaction, what kind, the mapped address, and what
// ICE adds (RFC 8445).
#pragma once

#include "base/address.hpp"
#include "base/bytes.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace sallyport::diagnose {

inline constexpr std::size_t max_username = 128;

struct StunGlance {
    enum class Class : std::uint8_t { request = 0, indication = 1, success = 2, error = 3 };

    enum class Role : std::uint8_t { none, controlling, controlled };

    Class kind = Class::request;
    std::uint16_t method = 0;  // 1: Binding
    std::array<std::uint8_t, 12> transaction{};
    std::optional<SocketAddress> mapped;  // of a success
    std::uint16_t error = 0;  // of an error: 401, 487, ...
    bool is_check = false;  // a connectivity check of ICE
    bool nominates = false;  // USE-CANDIDATE
    Role role = Role::none;  // of who asks, ICE-CONTROLLING or ICE-CONTROLLED
    std::string username;  // at most max_username bytes of it
};

std::optional<StunGlance> glance_stun(Bytes datagram);

}  // namespace sallyport::diagnose
