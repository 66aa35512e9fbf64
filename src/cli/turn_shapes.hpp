// TURN as programs and people read it: sessions, and counters for /metrics.
#pragma once

#include "turn/session_view.hpp"

#include <nlohmann/json.hpp>

#include <span>
#include <string>

namespace sallyport::cli {

std::string_view name_of(turn::Transport transport);

nlohmann::json to_json(const turn::SessionView& view);
/// A table, from what /api/v1/turn/sessions answers.
std::string turn_sessions_text(const nlohmann::json& answer);

/// Lines for /metrics: the sums over these servers.
std::string turn_metrics(std::span<const turn::Server* const> servers);

}  // namespace sallyport::cli
