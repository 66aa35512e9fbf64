// What the TURN servers of all loops have in common.
#pragma once

#include "turn/nonces.hpp"
#include "turn/quotas.hpp"
#include "turn/relay_ports.hpp"

namespace sallyport::turn {

struct Shared {
    Nonces nonces;
    Quotas quotas;
    LivePorts live;
    Reservations reservations;
};

}  // namespace sallyport::turn
