// From a decision to an open connection: the targets of a service in their order, TLS where the leg asks for it.
#pragma once

#include "gate/gate.hpp"
#include "gate/router.hpp"
#include "io/stream.hpp"
#include "telemetry/reason.hpp"

#include <expected>
#include <string>

namespace sallyport::gate {

struct Dialed {
    io::Stream stream;
    std::string target;  // "172.16.0.10:80", for the record
};

struct DialFailure {
    telemetry::Reason reason = telemetry::Reason::target_unresolved;
    std::string target;  // the last one tried
    std::string detail;
};

/// Tries the service's targets in their order until one is connected, and shaken hands with where the leg is TLS.
/// @param name  what the client asked for: SNI and certificate name where the target is a bare address.
io::Task<std::expected<Dialed, DialFailure>> dial_target(Gate& gate, io::Cancellation& cancellation,
                                                         SnapshotHandle snapshot, Decision decision, std::string name);

}  // namespace sallyport::gate
