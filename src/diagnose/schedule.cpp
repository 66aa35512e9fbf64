#include "diagnose/schedule.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

namespace sallyport::diagnose {

namespace {

struct Known {
    Schedule schedule;
    std::array<double, 10> gaps;  // seconds between attempts; 0 ends the list
};

// Retransmission timers begin at 1 s and double (RFC 6298 section 2), with what systems made of it. A longer match
// wins, then the earlier row.
constexpr std::array known{
    Known{{"exponential", "Linux, or Windows 8 and later", 130}, {1, 2, 4, 8, 16, 32}},
    Known{{"linear-exponential", "Linux 6.5 and later", 134}, {1, 1, 1, 1, 1, 2, 4, 8, 16, 32}},
    Known{{"linear-exponential", "Apple or BSD", 75}, {1, 1, 1, 1, 1, 2, 4, 8, 16, 32}},
    Known{{"exponential", "Windows 7 and earlier", 21}, {3, 6, 12}},
    Known{{"exponential", "", 0}, {0.5, 1, 2, 4, 8, 16}},
    Known{{"constant", "Windows repeating after a reset", 0}, {0.5, 0.5, 0.5}},
    Known{{"constant", "", 0}, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1}},
    Known{{"constant", "", 0}, {3, 3, 3, 3, 3, 3, 3, 3, 3, 3}},
};

// Timers are late: some percent under load, Apple's by a tenth.
bool fits(double gap, double expected) { return std::abs(gap - expected) <= std::max(0.25, 0.15 * expected); }

bool follows(const Known& row, std::span<const Time> times) {
    for (std::size_t i = 0; i + 1 < times.size(); ++i) {
        if (i >= row.gaps.size() || row.gaps[i] == 0 || !fits(seconds(times[i], times[i + 1]), row.gaps[i]))
            return false;
    }
    return true;
}

// Linux is within some percent of its seconds, Apple's timer ticks add a tenth each time.
bool runs_late(std::span<const Time> times) {
    const std::size_t linear = std::min<std::size_t>(times.size() - 1, 5);
    return seconds(times[0], times[linear]) > 1.055 * static_cast<double>(linear);
}

}  // namespace

Schedule classify(std::span<const Time> times) {
    if (times.size() < 3) return {.shape = "unknown", .looks_like = "", .gives_up = 0};
    for (const Known& row : known) {
        if (!follows(row, times)) continue;
        if (row.schedule.looks_like == "Linux 6.5 and later" && runs_late(times)) continue;
        return row.schedule;
    }
    return {.shape = "unknown", .looks_like = "", .gives_up = 0};
}

}  // namespace sallyport::diagnose
