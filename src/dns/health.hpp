// How one upstream does: how fast it answers, and whether it is asked at all. Knows no clock and no socket.
//
// Two misses in a row make it fail; it is then tried by probes alone, after 1, 2, 4 ... 32 seconds, and the first
// answer of any kind brings it back.
#pragma once

#include "base/time.hpp"

#include <chrono>
#include <cstdint>

namespace sallyport::dns {

class Health {
public:
    static constexpr unsigned misses_allowed = 1;  // in a row
    static constexpr std::chrono::seconds first_pause{1}, longest_pause{32};
    static constexpr std::chrono::milliseconds least_patience{300}, most_patience{1500}, first_patience{800};

    void answered(Duration took);
    /// It did not answer in time, or nobody listens there.
    void missed(SteadyTime now);

    bool failing() const { return failing_; }
    /// When a failing one may be tried next.
    SteadyTime next_try() const { return next_try_; }
    /// A failing one is being tried: the next try is due after a longer pause.
    void trying(SteadyTime now);

    /// How long to wait for its answer before the next one is asked as well.
    Duration patience() const;
    /// For choosing among several; 0: not known yet.
    Duration round_trip() const { return smoothed_; }

private:
    Duration smoothed_{};   // RFC 6298 section 2
    Duration deviation_{};
    SteadyTime next_try_{};
    std::chrono::seconds pause_ = first_pause;
    unsigned misses_ = 0;
    bool failing_ = false;
};

}  // namespace sallyport::dns
