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

/// As HTTP writes it (RFC 9110 section 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT".
std::string to_http_date(WallTime time);

}  // namespace sallyport
