// What all modes need around their work: the phases that a driver may watch, and the report at the end.
#pragma once

#include <string>
#include <string_view>

#include "generator/ground.hpp"
#include "generator/meter.hpp"

namespace sallyport::bench {

constexpr std::chrono::seconds open_limit{20};

/// With step=yes: says {"phase":"..."} and serves the loop until a line (or the end) comes on stdin.
void phase(const Ground& ground, std::string_view name);

/// Further members of the report, as JSON text that begins with a comma.
using Extra = std::string;
Extra member(std::string_view name, std::uint64_t value);
Extra member(std::string_view name, std::string_view value);

std::string report(const Tally& tally, const Cost& cost, const Extra& extra = {});

}  // namespace sallyport::bench
