// One response in the making; part of server.cpp and its siblings.
#pragma once

#include "turn/server.hpp"

#include <array>

namespace sallyport::turn {

class Server::Answer {
public:
    Answer(const Call& call, stun::Class kind)
        : writer(room_, kind, call.message.method(), call.message.transaction()) {}

private:
    std::array<std::byte, 1280> room_;  // a realm of any length that the configuration takes, and all the rest

public:
    stun::MessageWriter writer;
};

/// The number of an address family in attributes (RFC 8489 section 14.1).
inline constexpr std::uint8_t family_v4 = 1;
inline constexpr std::uint8_t family_v6 = 2;

}  // namespace sallyport::turn
