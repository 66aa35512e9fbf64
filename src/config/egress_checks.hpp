// The rules of [egress] and its pins.
#pragma once

#include "config/config.hpp"
#include "config/problem.hpp"

namespace sallyport::config {

/// Brings hardware addresses into the form that they are compared in, too.
void check_egress(Config& config, Findings& findings);

}  // namespace sallyport::config
