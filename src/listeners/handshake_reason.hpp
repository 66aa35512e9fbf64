// What is said of a client whose TLS handshake on a port of ours did not come about.
#pragma once

#include "io/tls.hpp"
#include "telemetry/reason.hpp"

namespace sallyport::listeners {

/// Ok: it came about, or it is we who called it off.
telemetry::Reason reason_of(io::TlsFailure failure);

}  // namespace sallyport::listeners
