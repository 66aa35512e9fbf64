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

struct StunGlance {
    enum class Class : std::uint8_t { request = 0, indication = 1, success = 2, error = 3 };

    Class kind = Class::request;
    std::uint16_t method = 0;  // 1: Binding
    std::array<std::uint8_t, 12> transaction{};
    std::optional<SocketAddress> mapped;  // of a success
    std::uint16_t error = 0;  // of an error: 401, 487, ...
    bool is_check = false;  // a connectivity check of ICE
    bool nominates = false;  // USE-CANDIDATE
};

std::optional<StunGlance> glance_stun(Bytes datagram);

}  // namespace sallyport::diagnose
