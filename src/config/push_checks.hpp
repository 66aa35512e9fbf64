// The rules of [push].
#pragma once

#include "config/config.hpp"
#include "config/problem.hpp"

namespace sallyport::config {

void check_push(const Config& config, Findings& findings);

}  // namespace sallyport::config
