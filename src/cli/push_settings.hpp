// [push] as the room takes it, and the ports that it listens on.
#pragma once

#include "config/config.hpp"
#include "listeners/listeners.hpp"
#include "push/decide.hpp"

#include <vector>

namespace sallyport::cli {

/// Names are looked up with `resolver`, else with what [dns] asks by UDP, else with the system's name servers, which
/// are read from its file.
push::Policy push_policy(const config::Config& config);

/// A single address is listened on by itself; whole networks, and what is redirected, take a listener on all addresses
/// of the family, which resets what is not for push. Where another service has one already, it deals out its
/// connections (DataLoop::deal).
/// @param others  that are claimed already
std::vector<listeners::Claim> push_claims(const config::Push& push, const std::vector<listeners::Claim>& others);

}  // namespace sallyport::cli
