// Which refusals of ours count against the client.
#pragma once

#include "guard/sign.hpp"
#include "telemetry/reason.hpp"

#include <optional>

namespace sallyport::gate {

/// Nothing where an honest client may be refused so: a limit, an outage, an end of its own, a ban.
std::optional<guard::Sign> sign_of(telemetry::Reason reason);

}  // namespace sallyport::gate
