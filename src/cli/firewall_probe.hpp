// Whether somebody serves what the firewall has just opened: its own side of the question, asked once rules are loaded.
#pragma once

#include "config/config.hpp"

#include <string>
#include <vector>

namespace sallyport::cli {

/// Connects to every TCP port that the configuration listens on, and looks for the sockets of the UDP ones. What
/// nobody answers on: ":443 (https)". Blocks, a second at most for each.
std::vector<std::string> silent_listeners(const config::Config& config);

}  // namespace sallyport::cli
