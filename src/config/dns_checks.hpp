// The rules of [dns] between its keys and tables.
#pragma once

#include "config/config.hpp"
#include "config/problem.hpp"

namespace sallyport::config {

void check_dns(const Config& config, Findings& findings);

}  // namespace sallyport::config
