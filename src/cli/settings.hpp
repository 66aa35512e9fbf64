// What the configuration means to the rooms that do not read it themselves.
#pragma once

#include "config/config.hpp"
#include "listeners/listeners.hpp"
#include "listeners/udp_listeners.hpp"
#include "telemetry/logger.hpp"

#include <string>
#include <vector>

namespace sallyport::cli {

telemetry::LogSettings log_settings(const config::Config& config, const std::string& node);

// The kinds of listeners that are not the gate's. No dialect has them.
inline constexpr int turn_kind = -2;
inline constexpr int dns_kind = -3;

/// Every TCP listener that the configuration asks for. A claim's kind is the place of its dialect in gate::dialects(),
/// gate::mux_kind, push::listener_kind, turn_kind or dns_kind.
std::vector<listeners::Claim> claims_of(const config::Config& config);

/// Every UDP listener that the configuration asks for; turn_kind or dns_kind is who takes its sockets.
std::vector<listeners::UdpClaim> udp_claims_of(const config::Config& config);

}  // namespace sallyport::cli
