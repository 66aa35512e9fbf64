// What the gate asks of every protocol it can route.
//
// A dialect is one folder under gate/ and one row in gate/dialects.cpp: to add one, write both. The row says which
// listeners speak it and how a connection of it is served from its first byte to its record.
#pragma once

#include "config/config.hpp"
#include "io/sockets.hpp"
#include "io/task.hpp"
#include "listeners/loop_listeners.hpp"
#include "telemetry/protocol.hpp"

#include <cstdint>
#include <span>

namespace sallyport::gate {

class Gate;

struct Dialect {
    telemetry::Protocol protocol;
    config::Protocol word;  // `protocol` of [[service]]
    config::Listen::Addresses config::Listen::* plain;  // the keys of [listen]
    config::Listen::Addresses config::Listen::* tls;
    /// Serves one accepted connection. It ends in exactly one record, or for http in one a request.
    io::Task<void> (*serve)(Gate& gate, listeners::Listener listener, io::Accepted accepted);
};

/// Every dialect in this build, in the order of the manual.
std::span<const Dialect> dialects();

}  // namespace sallyport::gate
