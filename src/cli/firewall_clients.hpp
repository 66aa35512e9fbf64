// Which inner addresses the firewall translates to which outer ones, as far as it is known at this moment.
#pragma once

#include "config/config.hpp"
#include "firewall/policy.hpp"

namespace sallyport::cli {

/// Asks the running gateway, which knows accounting and pins by hand; without one, leases files tell where devices
/// are. Blocks, a few seconds at most.
void place_clients(const config::Config& config, firewall::Policy& policy);

}  // namespace sallyport::cli
