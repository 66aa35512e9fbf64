// Which clock a repeated SYN follows. The time between repetitions tells that nothing was heard, and what kind of
// system was calling: an indication, never a proof.
#pragma once

#include "diagnose/flow.hpp"

#include <span>
#include <string_view>

namespace sallyport::diagnose {

struct Schedule {
    std::string_view shape;  // "exponential", "linear-exponential", "constant", "unknown"
    std::string_view looks_like;  // a system that does so; empty: none in particular
    double gives_up = 0;  // seconds after the first attempt in which that system gives up by itself; 0: not known
};

/// @param times  of the attempts of one connection, ascending.
Schedule classify(std::span<const Time> times);

}  // namespace sallyport::diagnose
