// Asking the running gateway on behalf of a verb.
#pragma once

#include "admin/http_client.hpp"
#include "cli/verbs.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <string>

namespace sallyport::cli {

/// Calls the gateway that the configuration is for and prints its answer: as it came with --json, else by `text`. What
/// it says against it goes to stderr.
Exit call_and_print(const Common& common, const admin::ClientRequest& request,
                    const std::function<std::string(const nlohmann::json&)>& text);

}  // namespace sallyport::cli
