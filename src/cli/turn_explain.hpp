// "turn:alice" and "turn:alice?peer=192.0.2.9": may this user relay, and to there?
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "config/config.hpp"
#include "gate/explain.hpp"
#include "turn/settings.hpp"

#include <string_view>

namespace sallyport::cli {

/// By the same settings that the servers go by. The error names the forms that a subject can have.
Result<gate::Explanation> explain_turn(const config::Config& config, const turn::Settings& settings,
                                       std::string_view subject, WallTime now);

}  // namespace sallyport::cli
