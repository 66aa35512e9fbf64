// Durations and sizes as people write them: a whole number and its unit, "30s", "64KiB".
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "config/problem.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace sallyport::config {

/// Units: ms, s, m, h, d. At most a hundred years.
Result<Duration, Complaint> parse_duration(std::string_view text);

/// In bytes. Units: B, KiB, MiB, GiB; the decimal ones (kB, MB, GB) are refused, for half of the readers take them
/// for the binary ones. At most 2^63 - 1.
Result<std::uint64_t, Complaint> parse_size(std::string_view text);

/// In the largest unit that leaves no rest: 90 s is "90s", 120 s is "2m".
std::string to_text(Duration duration);

}  // namespace sallyport::config
