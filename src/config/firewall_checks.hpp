// The rules between the keys of [firewall], its inner tables, and the ports of everybody else.
#pragma once

#include "config/config.hpp"
#include "config/problem.hpp"

namespace sallyport::config {

void check_firewall(const Config& config, Findings& findings);

}  // namespace sallyport::config
