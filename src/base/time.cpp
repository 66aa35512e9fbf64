#include "base/time.hpp"

#include <array>
#include <cstdio>
#include <ctime>

namespace sallyport {

namespace {

std::tm utc_of(WallTime time) {
    const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    return utc;
}

}  // namespace

std::string to_rfc3339(WallTime time) {
    using namespace std::chrono;
    const auto millis = duration_cast<milliseconds>(time - floor<seconds>(time)).count();
    const std::tm utc = utc_of(time);
    std::array<char, 64> text{};
    const int length =
        std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900,
                      utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, static_cast<int>(millis));
    return {text.data(), static_cast<std::size_t>(length)};
}

std::string to_http_date(WallTime time) {
    const std::tm utc = utc_of(time);
    std::array<char, 32> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc)};
}

}  // namespace sallyport
