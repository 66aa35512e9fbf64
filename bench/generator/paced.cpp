#include "generator/paced.hpp"

#include <cmath>

namespace sallyport::bench {

Paced::Paced(Ground& ground, Askers& askers) : ground_(ground), askers_(askers) {
    const auto most = static_cast<std::size_t>(ground.options.rate * (ground.options.seconds + 1) * 2);
    ground.tally.latencies.reserve(most);  // growing would take time from what is measured
    ground.tally.delays.reserve(most);
}

void Paced::resume() {
    running_ = true;
    due_ = Clock::now() + gap();
}

void Paced::turn() {
    ground_.loop.turn(std::chrono::milliseconds{0});
    for (const auto now = Clock::now(); running_ && due_ <= now; due_ += gap()) {
        ground_.tally.delays.push_back(static_cast<std::uint64_t>(std::chrono::nanoseconds(now - due_).count()));
        askers_.ask_for(due_);
    }
}

// Gaps of a Poisson process are distributed exponentially. Taken from the random bits by hand, because the library's
// distributions differ from one library to another.
Paced::Clock::duration Paced::gap() {
    constexpr double steps = 9007199254740992.0;  // 2^53
    const double share = (static_cast<double>(random_() >> 11) + 0.5) / steps;
    return std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(-std::log(share) / ground_.options.rate));
}

}  // namespace sallyport::bench
