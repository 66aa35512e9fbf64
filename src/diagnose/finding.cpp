#include "diagnose/finding.hpp"

#include <algorithm>
#include <array>
#include <tuple>

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

bool is_worse(const Finding& a, const Finding& b) {
    const auto key = [](const Finding& finding) {
        const PacketNumber first = finding.packets.empty() ? UINT64_MAX : finding.packets.front();
        return std::tuple(-static_cast<int>(finding.severity), -finding.seconds_lost(), first, finding.id);
    };
    return key(a) < key(b);
}

void Findings::push_back(Finding finding) {
    kept_.push_back(std::move(finding));
    if (kept_.size() < 2 * most_kept) return;
    std::ranges::nth_element(kept_, kept_.begin() + most_kept, is_worse);
    dropped_ += kept_.size() - most_kept;
    kept_.resize(most_kept);
}

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
