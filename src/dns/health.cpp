#include "dns/health.hpp"

#include <algorithm>

namespace sallyport::dns {

void Health::answered(Duration took) {
    const Duration measured = std::max(took, Duration{1});
    if (smoothed_ == Duration{}) {
        smoothed_ = measured;
        deviation_ = measured / 2;
    } else {
        deviation_ = (3 * deviation_ + std::chrono::abs(smoothed_ - measured)) / 4;
        smoothed_ = (7 * smoothed_ + measured) / 8;
    }
    misses_ = 0;
    failing_ = false;
    pause_ = first_pause;
}

void Health::missed(SteadyTime now) {
    if (failing_ || ++misses_ <= misses_allowed) return;
    failing_ = true;
    pause_ = first_pause;
    next_try_ = now + pause_;
}

void Health::trying(SteadyTime now) {
    pause_ = std::min(2 * pause_, longest_pause);
    next_try_ = now + pause_;
}

Duration Health::patience() const {
    if (smoothed_ == Duration{}) return first_patience;
    return std::clamp<Duration>(2 * smoothed_ + 4 * deviation_, least_patience, most_patience);
}

}  // namespace sallyport::dns
