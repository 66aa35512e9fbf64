// The verb `diagnose`: captures in, findings out.
#pragma once

#include "cli/verbs.hpp"
#include "diagnose/report.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace sallyport::cli {

struct DiagnoseOptions {
    std::vector<std::string> files;  // "-": standard input
    std::string live;  // an interface, instead of files
    std::string client;  // an address: its packets alone
    std::string issuer;  // part of the name of who issues the servers' certificates; empty: anybody
    std::string duration = "60s";  // of a live capture
    std::uint64_t packets = 0;  // of a live capture, at most; 0: no limit
    std::string write;  // a file that gets the live capture as well
    std::string write_limit = "256MiB";
    std::string report;  // an HTML file to be written
    std::string tls_secrets;  // a file that gets the TLS secrets within the captures
};

/// Exit::answer_is_no where something above `info` was found, Exit::invalid where a file is no capture.
Exit diagnose(const Common& common, const DiagnoseOptions& options);

/// The shape that programs read (INTERFACE section 5).
nlohmann::json to_json(const diagnose::Report& report);

}  // namespace sallyport::cli
