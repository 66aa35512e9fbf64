// The allocations of one server as an administrator sees them.
#pragma once

#include "turn/server.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace sallyport::turn {

struct SessionView {
    /// Somebody whom the allocation may reach, or could until a while ago.
    struct Peer {
        SocketAddress address;      // port 0: all of them, by a permission
        std::uint16_t channel = 0;  // 0: none
        std::int64_t left = 0;      // seconds until it is over; negative: since it was
    };

    SocketAddress client;
    Transport transport = Transport::udp;
    std::string user;
    std::vector<SocketAddress> relays;  // as the client knows them
    Seconds lasted = 0;                 // since it began
    Seconds idle = 0;                   // since data last passed
    Seconds left = 0;                   // until it must be refreshed
    std::uint64_t packets_in = 0, bytes_in = 0;
    std::uint64_t packets_out = 0, bytes_out = 0;
    std::uint64_t dropped = 0;
    std::vector<Peer> peers;
    std::string hint;  // what is wrong with it, in a sentence; empty: nothing that can be seen from here
};

/// @param most  how many are looked at
std::vector<SessionView> look_at_sessions(Server& server, Instant now, std::size_t most);

}  // namespace sallyport::turn
