#include "base/time.hpp"

#include <array>
#include <cstdio>
#include <ctime>

namespace sallyport {

std::string to_rfc3339(WallTime time) {
    using namespace std::chrono;
    const auto whole = floor<seconds>(time);
    const auto millis = duration_cast<milliseconds>(time - whole).count();
    const std::time_t seconds_since_epoch = whole.time_since_epoch().count();
    std::tm utc{};
    gmtime_r(&seconds_since_epoch, &utc);
    std::array<char, 64> text{};
    const int length = std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900,
                                     utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                                     static_cast<int>(millis));
    return {text.data(), static_cast<std::size_t>(length)};
}

}  // namespace sallyport
