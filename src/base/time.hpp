// Two clocks, never mixed: steady for deadlines, wall for records, credentials and certificates.
#pragma once

#include <chrono>
#include <string>

namespace sallyport {

using Duration = std::chrono::nanoseconds;
using SteadyTime = std::chrono::time_point<std::chrono::steady_clock, Duration>;
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

/// RFC 3339 in UTC with milliseconds: "2026-03-01T12:00:00.250Z".
std::string to_rfc3339(WallTime time);

}  // namespace sallyport
