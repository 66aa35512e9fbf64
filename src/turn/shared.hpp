// What the TURN servers of all loops have in common.
#pragma once

#include "turn/nonces.hpp"
#include "turn/peer_connection.hpp"
#include "turn/quotas.hpp"
#include "turn/relay_ports.hpp"

namespace sallyport::turn {

struct Shared {
    Nonces nonces;
    Quotas quotas;
    LiveRelays live;
    LiveRelays live_tcp;
    Reservations reservations;
    PeerConnections connections;
};

}  // namespace sallyport::turn
