// CPU time: the relay's, from its scheduler statistics, and our own.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <span>

#include "generator/loop.hpp"

namespace sallyport::bench {

/// What one window cost.
struct Cost {
    double seconds = 0;    // wall time while work was given out
    double own_cpu = 0;    // seconds of this thread in that time
    double relay_cpu = 0;  // seconds of all watched processes, the end of their work included
};

class Meter {
public:
    Meter(const Loop& loop, std::span<const pid_t> watched) : loop_(loop), watched_(watched) {}

    void start();
    void stop_giving_work();
    /// Call when all work is answered.
    Cost finish();

private:
    /// The kernel brings a running thread's figure up to date once a tick (4 ms), and a sleeping one's always: so it is
    /// taken when the relay has come to rest, which also puts the closing of connections on its bill.
    double relay_cpu_at_rest() const;
    double relay_cpu() const;

    const Loop& loop_;
    std::span<const pid_t> watched_;
    std::chrono::steady_clock::time_point started_;
    double own_at_start_ = 0;
    double relay_at_start_ = 0;
    Cost cost_;
};

}  // namespace sallyport::bench
