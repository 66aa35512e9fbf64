// What programs read from `--json` and the API, and what people read instead of it (INTERFACE section 5).
#pragma once

#include "config/problem.hpp"
#include "gate/explain.hpp"
#include "gate/overview.hpp"
#include "guard/entry.hpp"
#include "guard/window.hpp"
#include "io/loop.hpp"

#include <nlohmann/json.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::cli {

/// @param source  "live" or "file": whose configuration decided.
nlohmann::json to_json(const gate::Explanation& explanation, const gate::Question& question, std::string_view source);

/// From the JSON shape, so that what the running gateway answered and what the file says read alike.
std::string explanation_text(const nlohmann::json& explanation);

nlohmann::json problems_json(std::span<const config::Problem> problems);

nlohmann::json to_json(const gate::SessionView& view);
nlohmann::json to_json(const gate::TargetView& view);
/// Tables, from what /api/v1/connections and /api/v1/services answer.
std::string connections_text(const nlohmann::json& answer);
std::string services_text(const nlohmann::json& answer);

/// @param loop  whose clocks its times are told by
nlohmann::json to_json(const guard::Entry& entry, const io::Loop& loop);
nlohmann::json to_json(const guard::Window::Suspect& suspect);
/// Of /api/v1/bans, and of /api/v1/bans/top.
std::string bans_text(const nlohmann::json& answer);
std::string suspects_text(const nlohmann::json& answer);

/// Columns as wide as they must be; the first row is the head.
std::string table_text(const std::vector<std::vector<std::string>>& rows);
/// The text of a field; empty where it is missing or none.
std::string text_of(const nlohmann::json& object, const char* key);

std::string status_text(const nlohmann::json& status);

}  // namespace sallyport::cli
