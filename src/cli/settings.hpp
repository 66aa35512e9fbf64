// What the configuration means to the rooms that do not read it themselves.
#pragma once

#include "config/config.hpp"
#include "listeners/listeners.hpp"
#include "telemetry/logger.hpp"

#include <string>
#include <vector>

namespace sallyport::cli {

telemetry::LogSettings log_settings(const config::Config& config, const std::string& node);

/// The kind of TURN's listeners, which no dialect of the gate has.
inline constexpr int turn_kind = -2;

/// Every TCP listener that [listen] and [turn] ask for. A claim's kind is the place of its dialect in gate::dialects(),
/// gate::mux_kind, or turn_kind.
std::vector<listeners::Claim> claims_of(const config::Config& config);

}  // namespace sallyport::cli
