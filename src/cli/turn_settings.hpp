// [stun] and [turn] made ready: what the TURN servers go by, and the ports that they are reached at.
#pragma once

#include "base/address.hpp"
#include "config/config.hpp"
#include "listeners/udp_listeners.hpp"
#include "turn/settings.hpp"

#include <functional>
#include <string>
#include <vector>

namespace sallyport::cli {

/// The kinds of UdpClaim.
inline constexpr int stun_alone = 0;
inline constexpr int stun_and_turn = 1;
inline constexpr int turn_by_dtls = 2;

/// Do clients of TURN find a listener?
bool has_turn_listener(const config::Config& config);

/// Reads the files of secrets and passwords.
/// @param error  called with what can't be read, and where the configuration names it
turn::SettingsHandle turn_settings(const config::Config& config,
                                   const std::function<void(const config::Place&, std::string)>& error);

/// The secrets of [turn] that time-limited credentials are made with. @param error  as of turn_settings()
turn::Credentials::Secrets shared_secrets(const config::Config& config,
                                          const std::function<void(const config::Place&, std::string)>& error);

/// The UDP listeners of [stun] and [turn]; an address that both name is one.
std::vector<listeners::UdpClaim> turn_claims(const config::Config& config);

}  // namespace sallyport::cli
