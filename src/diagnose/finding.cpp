#include "diagnose/finding.hpp"

#include <algorithm>
#include <array>

namespace sallyport::diagnose {

std::string_view name(Severity severity) {
    constexpr std::array<std::string_view, 3> names{"info", "warning", "error"};
    return names[static_cast<std::size_t>(severity)];
}

std::string_view name(Confidence confidence) {
    constexpr std::array<std::string_view, 3> names{"possible", "likely", "certain"};
    return names[static_cast<std::size_t>(confidence)];
}

double Finding::seconds_lost() const { return union_of(lost); }

double union_of(std::vector<Interval> intervals) {
    std::ranges::sort(intervals, {}, &Interval::from);
    double sum = 0;
    Time covered = intervals.empty() ? 0 : intervals.front().from;
    for (const Interval& interval : intervals) {
        const Time from = std::max(interval.from, covered);
        if (interval.to <= from) continue;
        sum += seconds(from, interval.to);
        covered = interval.to;
    }
    return sum;
}

}  // namespace sallyport::diagnose
