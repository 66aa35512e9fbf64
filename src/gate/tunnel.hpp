// What tunnels of every protocol have in common: bytes both ways, for days if need be.
#pragma once

#include "gate/gate.hpp"
#include "io/relay.hpp"
#include "io/stream.hpp"
#include "telemetry/reason.hpp"

namespace sallyport::gate {

/// A tunnel may idle for days; a peer that has vanished is found by the kernel's keep-alives, within two minutes.
void keep_alive_by_kernel(const io::Stream& stream);

/// Why a tunnel's record says it ended.
telemetry::Reason tunnel_reason(io::RelayEnd end, const Session& session);

}  // namespace sallyport::gate
