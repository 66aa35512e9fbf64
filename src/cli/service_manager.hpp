// systemd's side of the story: ready, reloading, stopping, alive. Does nothing under another parent.
#pragma once

#include "base/time.hpp"

#include <optional>
#include <string>

namespace sallyport::cli {

void notify_ready(const std::string& status);
void notify_reloading();
void notify_stopping();
void notify_alive();

/// How often systemd wants to hear that we are alive (WatchdogSec); nothing when it does not.
std::optional<Duration> watchdog_interval();

}  // namespace sallyport::cli
