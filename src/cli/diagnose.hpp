// The verb `diagnose`: captures in, findings out.
#pragma once

#include "cli/verbs.hpp"
#include "diagnose/report.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace sallyport::cli {

struct DiagnoseOptions {
    std::vector<std::string> files;  // "-": standard input
};

/// Exit::answer_is_no where something above `info` was found, Exit::invalid where a file is no capture.
Exit diagnose(const Common& common, const DiagnoseOptions& options);

/// The shape that programs read (INTERFACE section 5).
nlohmann::json to_json(const diagnose::Report& report);

}  // namespace sallyport::cli
