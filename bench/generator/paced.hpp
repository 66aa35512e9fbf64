// Work that comes when it comes, as from many users: each operation has a moment at which it is due, whatever became of
// the ones before it, and its latency counts from then. A relay that stands still is charged for all who waited
// meanwhile.
#pragma once

#include <random>

#include "generator/asker.hpp"
#include "generator/backend.hpp"
#include "generator/streams.hpp"

namespace sallyport::bench {

/// Operations of `askers` at random moments, options.rate of them a second in the mean (a Poisson process). The moments
/// are the same in each run. It never sleeps, so that it is never late for having slept.
class Paced {
public:
    Paced(Ground& ground, Askers& askers);

    void resume();
    void pause() { running_ = false; }
    void turn();
    bool quiet() const { return askers_.quiet(); }

private:
    using Clock = std::chrono::steady_clock;
    Clock::duration gap();

    Ground& ground_;
    Askers& askers_;
    std::mt19937_64 random_;
    Clock::time_point due_;
    bool running_ = false;
};

/// The same while streams pour beside it, in small pieces in turn, so that what an operation waits for is the relay.
class PacedBesideStreams {
public:
    PacedBesideStreams(Paced& paced, Streams& streams, Backend& backend)
        : paced_(paced), streams_(streams), backend_(backend) {}

    void resume() {
        streams_.resume();
        paced_.resume();
    }
    void pause() {
        paced_.pause();
        streams_.pause();
    }
    void turn() {
        paced_.turn();
        backend_.pour_piece();
        paced_.turn();
        streams_.take_piece();
    }
    bool quiet() const { return paced_.quiet() && streams_.quiet(); }

private:
    Paced& paced_;
    Streams& streams_;
    Backend& backend_;
};

}  // namespace sallyport::bench
