// The rules between the keys of [stun], [turn] and [[turn.user]].
#pragma once

#include "config/config.hpp"
#include "config/problem.hpp"

namespace sallyport::config {

void check_turn(const Config& config, Findings& findings);

}  // namespace sallyport::config
