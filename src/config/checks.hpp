// The rules between keys: what no single value shows. They look at the configuration alone; what needs the machine (is
// the port free, does the file hold a certificate) is asked elsewhere.
#pragma once

#include "config/config.hpp"
#include "config/problem.hpp"
#include "config/schema.hpp"

#include <span>
#include <string_view>
#include <vector>

namespace sallyport::config {

/// The keys that stand in one table of the file.
struct GivenKey {
    const Row* row;
    Place place;
    bool readable;  // its value was of the right kind
};
using GivenKeys = std::vector<GivenKey>;

/// Holds one service to its rules and brings its names into the form that they are compared in.
/// @param presets  the names of URL lists that `preset` may hold
void finish_service(Service& service, const GivenKeys& given, std::span<const std::string_view> presets,
                    Findings& findings);

/// The rules between tables: names that stand twice, ports used twice, services that nobody can reach.
void check_all(const Config& config, Findings& findings);

}  // namespace sallyport::config
