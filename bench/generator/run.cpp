#include "generator/run.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "generator/asker.hpp"
#include "generator/backend.hpp"
#include "generator/checks.hpp"
#include "generator/paced.hpp"
#include "generator/stage.hpp"
#include "generator/streams.hpp"

namespace sallyport::bench {

namespace {

std::chrono::nanoseconds seconds(double value) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(value));
}

// Work is given out for `time`, or until nothing is under way any more because enough operations were done.
template <class Work>
void work_for(Ground& ground, Work& work, double time) {
    const auto end = std::chrono::steady_clock::now() + seconds(time);
    work.resume();
    while (std::chrono::steady_clock::now() < end && !ground.tally.faulty()) {
        work.turn();
        if (ground.options.ops > 0 && work.quiet()) break;
    }
}

template <class Work>
void drain(Ground& ground, Work& work) {
    work.pause();
    if (ground.tally.faulty()) return;
    const auto end = std::chrono::steady_clock::now() + ground.patience();
    while (!work.quiet() && !ground.tally.faulty()) {
        if (std::chrono::steady_clock::now() >= end) {
            return ground.tally.fault(Fault::stalled, "work that was begun did not come to its end");
        }
        work.turn();
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
    ground.tally.start_counting();
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
    Askers askers(ground, script_for(ground));
    if (!askers.open(open_limit)) {
        stalled_while_opening(ground);
        return report(ground.tally, {});
    }
    const Cost cost = window(ground, askers);
    return report(ground.tally, cost);
}

/// The latency that this share of the operations did not exceed.
std::uint64_t percentile(std::vector<std::uint64_t>& latencies, double share) {
    if (latencies.empty()) return 0;
    const auto rank = static_cast<std::size_t>(static_cast<double>(latencies.size() - 1) * share + 0.5);
    std::ranges::nth_element(latencies, latencies.begin() + static_cast<std::ptrdiff_t>(rank));
    return latencies[rank];
}

std::string report_latencies(Ground& ground, const Cost& cost) {
    std::vector<std::uint64_t>& all = ground.tally.latencies;
    return report(ground.tally, cost,
                  member("p50", percentile(all, 0.50)) + member("p99", percentile(all, 0.99)) +
                      member("p999", percentile(all, 0.999)) + member("late", percentile(ground.tally.delays, 0.99)));
}

Result<std::string> run_paced(Ground& ground) {
    Backend backend(ground, Manner::echo);
    if (const auto started = start(backend); !started) return fail(started.error());
    Askers askers(ground, script_for(ground));
    if (!askers.open(open_limit)) {
        stalled_while_opening(ground);
        return report(ground.tally, {});
    }
    Paced paced(ground, askers);
    const Cost cost = window(ground, paced);
    return report_latencies(ground, cost);
}

Result<std::string> run_fair(Ground& ground) {
    Backend backend(ground, Manner::mixed);
    if (const auto started = start(backend); !started) return fail(started.error());
    Streams streams(ground, backend, ground.options.streams, Taker::Care::piece);
    Askers askers(ground, script_for(ground));
    if (!streams.open() || !askers.open(open_limit)) {
        stalled_while_opening(ground);
        return report(ground.tally, {});
    }
    Paced paced(ground, askers);
    PacedBesideStreams both(paced, streams, backend);
    const Cost cost = window(ground, both);
    return report_latencies(ground, cost);
}

Result<std::string> run_bulk(Ground& ground) {
    Backend backend(ground, Manner::pour);
    if (const auto started = start(backend); !started) return fail(started.error());
    phase(ground, "empty");
    Streams streams(ground, backend, ground.options.connections, Taker::Care::discard);
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
    Askers askers(ground, script_for(ground));
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
        case Mode::paced: return run_paced(ground);
        case Mode::fair: return run_fair(ground);
        case Mode::bulk: return run_bulk(ground);
        case Mode::idle: return run_idle(ground);
        case Mode::half_close: return check_half_close(ground);
        case Mode::slow_reader: return check_slow_reader(ground);
        case Mode::reset: return check_reset(ground);
    }
    return fail("no such mode");
}

}  // namespace sallyport::bench
