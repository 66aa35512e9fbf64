#include "generator/run.hpp"

#include <cerrno>
#include <cstring>
#include <memory>

#include "generator/asker.hpp"
#include "generator/backend.hpp"
#include "generator/checks.hpp"
#include "generator/stage.hpp"
#include "generator/taker.hpp"

namespace sallyport::bench {

namespace {

constexpr std::chrono::milliseconds a_turn{20};

std::chrono::nanoseconds seconds(double value) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(value));
}

// Work is given out for `time`, or until nothing is under way any more because enough operations were done.
template <class Work>
void work_for(Ground& ground, Work& work, double time) {
    const auto end = std::chrono::steady_clock::now() + seconds(time);
    work.resume();
    while (std::chrono::steady_clock::now() < end && !ground.tally.faulty()) {
        ground.loop.turn(a_turn);
        if (ground.options.ops > 0 && work.quiet()) break;
    }
}

template <class Work>
void drain(Ground& ground, Work& work) {
    work.pause();
    if (ground.tally.faulty()) return;
    if (!ground.loop.until([&] { return work.quiet() || ground.tally.faulty(); }, drain_limit)) {
        ground.tally.fault(Fault::stalled, "work that was begun did not come to its end");
    }
}

// Warm up, come to rest, work for a window, come to rest: what is counted was both begun and ended in the window.
template <class Work>
Cost window(Ground& ground, Work& work) {
    if (ground.options.warmup > 0) work_for(ground, work, ground.options.warmup);
    drain(ground, work);
    if (ground.options.resume && !ground.tls->has_session()) {
        ground.tally.fault(Fault::handshake, "the relay gave no session to resume");
    }
    phase(ground, "warm");
    Meter meter(ground.loop, ground.options.watch);
    meter.start();
    ground.tally.ops = ground.tally.received = ground.tally.poured = ground.tally.reconnects = 0;
    work_for(ground, work, ground.options.seconds);
    meter.stop_giving_work();
    drain(ground, work);
    const Cost cost = meter.finish();
    phase(ground, "done");
    return cost;
}

Result<void> start(Backend& backend) {
    if (backend.start()) return {};
    return fail(std::string("cannot listen on the backend's port: ") + std::strerror(errno));
}

void stalled_while_opening(Ground& ground) {
    if (!ground.tally.faulty()) ground.tally.fault(Fault::stalled, "the connections did not all open");
}

Result<std::string> run_exchange(Ground& ground) {
    Backend backend(ground, ground.options.carrier == Carrier::http ? Manner::answer : Manner::echo);
    if (const auto started = start(backend); !started) return fail(started.error());
    Askers askers(ground, script_for(ground.options, ground.pattern));
    if (!askers.open(open_limit)) {
        stalled_while_opening(ground);
        return report(ground.tally, {});
    }
    const Cost cost = window(ground, askers);
    return report(ground.tally, cost);
}

/// The streams of a bulk run, as work that stops and goes on.
class Streams {
public:
    Streams(Ground& ground, Backend& backend) : ground_(ground), backend_(backend) {
        for (unsigned i = 0; i < ground.options.connections; ++i) {
            takers_.push_back(std::make_unique<Taker>(ground, i, Taker::Care::discard));
        }
    }

    /// Over HTTP each takes a first body on opening: some relays hold a head back until its body comes.
    bool open() {
        if (!bodies()) backend_.pause();
        for (const auto& taker : takers_) taker->connect();
        const auto all_open = [&] {
            for (const auto& taker : takers_) {
                if (!taker->is_open() || !taker->resting()) return ground_.tally.faulty();
            }
            return true;
        };
        return ground_.loop.until(all_open, open_limit) && !ground_.tally.faulty();
    }
    void resume() {
        if (!bodies()) return backend_.resume();
        for (const auto& taker : takers_) taker->resume();
    }
    void pause() {
        if (!bodies()) return backend_.pause();
        for (const auto& taker : takers_) taker->pause();
    }
    /// Also the place where a stream that has ended is noticed.
    bool quiet() const {
        bool resting = true;
        for (const auto& taker : takers_) {
            if (taker->end() != Taker::End::none) ground_.tally.fault(Fault::early_close, "a stream ended");
            resting = resting && taker->is_open() && taker->resting();
        }
        return resting && ground_.tally.received == ground_.tally.poured;
    }

private:
    bool bodies() const { return ground_.options.carrier == Carrier::http; }

    Ground& ground_;
    Backend& backend_;
    std::vector<std::unique_ptr<Taker>> takers_;
};

Result<std::string> run_bulk(Ground& ground) {
    Backend backend(ground, Manner::pour);
    if (const auto started = start(backend); !started) return fail(started.error());
    Streams streams(ground, backend);
    if (!streams.open()) {
        stalled_while_opening(ground);
        return report(ground.tally, {});
    }
    const Cost cost = window(ground, streams);
    return report(ground.tally, cost);
}

Result<std::string> run_idle(Ground& ground) {
    Backend backend(ground, Manner::echo);
    if (const auto started = start(backend); !started) return fail(started.error());
    phase(ground, "empty");
    Askers askers(ground, script_for(ground.options, ground.pattern));
    if (!askers.open(open_limit) || !askers.once_each(open_limit)) {
        stalled_while_opening(ground);
        return report(ground.tally, {});
    }
    phase(ground, "open");
    if (!askers.once_each(open_limit)) stalled_while_opening(ground);
    return report(ground.tally, {});
}

}  // namespace

Result<std::string> run(const Options& options) {
    Ground ground(options);
    std::unique_ptr<TlsClient> tls;
    if (options.tls) tls = std::make_unique<TlsClient>(options.resume);
    ground.tls = tls.get();
    switch (options.mode) {
        case Mode::http:
        case Mode::brief:
        case Mode::ping: return run_exchange(ground);
        case Mode::bulk: return run_bulk(ground);
        case Mode::idle: return run_idle(ground);
        case Mode::half_close: return check_half_close(ground);
        case Mode::slow_reader: return check_slow_reader(ground);
        case Mode::reset: return check_reset(ground);
    }
    return fail("no such mode");
}

}  // namespace sallyport::bench
