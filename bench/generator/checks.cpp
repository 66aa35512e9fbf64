#include "generator/checks.hpp"

#include <cerrno>
#include <cstring>
#include <memory>

#include "generator/backend.hpp"
#include "generator/stage.hpp"
#include "generator/taker.hpp"

namespace sallyport::bench {

namespace {

struct Pair {
    Pair(Ground& ground, Manner manner, unsigned count, std::uint64_t upload, std::uint64_t answer)
        : backend(ground, manner, answer) {
        for (unsigned i = 0; i < count; ++i) {
            takers.push_back(std::make_unique<Taker>(ground, i, Taker::Care::verify, upload));
        }
    }

    template <class Predicate>
    bool each(Predicate holds) const {
        for (const auto& taker : takers) {
            if (!holds(*taker)) return false;
        }
        return true;
    }

    Result<void> start() {
        if (!backend.start()) return fail(std::string("cannot listen on the backend's port: ") + std::strerror(errno));
        for (const auto& taker : takers) taker->connect();
        return {};
    }

    bool open(const Ground& ground) const {
        const auto all = [&] { return ground.tally.faulty() || each([](const Taker& t) { return t.is_open(); }); };
        return ground.loop.until(all, ground.patience()) && !ground.tally.faulty();
    }

    Backend backend;
    std::vector<std::unique_ptr<Taker>> takers;
};

std::string_view end_name(bool broken, bool finished) {
    if (broken) return "reset";
    return finished ? "finish" : "nothing";
}

}  // namespace

Result<std::string> check_half_close(Ground& ground) {
    constexpr std::uint64_t upload = 5'000'000;
    constexpr std::uint64_t answer = 3'000'000;
    Pair pair(ground, Manner::listen, 1, upload, answer);
    if (const auto started = pair.start(); !started) return fail(started.error());
    const Taker& taker = *pair.takers.front();
    ground.loop.until([&] { return ground.tally.faulty() || taker.end() != Taker::End::none; }, ground.patience());
    const bool whole =
        taker.end() == Taker::End::finished && pair.backend.heard() == upload && taker.received() == answer;
    if (!whole && !ground.tally.faulty()) {
        ground.tally.fault(Fault::lost_bytes, "backend got " + std::to_string(pair.backend.heard()) +
                                                  " of 5000000, client " + std::to_string(taker.received()) +
                                                  " of 3000000 bytes");
    }
    return report(ground.tally, {});
}

Result<std::string> check_slow_reader(Ground& ground) {
    Pair pair(ground, Manner::pour, ground.options.connections, 0, 0);
    pair.backend.pause();
    if (const auto started = pair.start(); !started) return fail(started.error());
    if (!pair.open(ground)) {
        ground.tally.fault(Fault::stalled, "the connections did not all open");
        return report(ground.tally, {});
    }
    phase(ground, "open");
    for (const auto& taker : pair.takers) taker->stop_reading();
    pair.backend.resume();
    // At a standstill nothing more is taken for a while. A relay that reads without bound never comes to it.
    constexpr std::chrono::milliseconds still_for{200};
    const auto limit = std::chrono::steady_clock::now() + ground.patience();
    bool moving = true;
    while (moving && std::chrono::steady_clock::now() < limit) {
        const std::uint64_t before = ground.tally.poured;
        ground.loop.until([&] { return ground.tally.poured != before; }, still_for);
        moving = ground.tally.poured != before;
    }
    const std::uint64_t held = ground.tally.poured - ground.tally.received;
    if (moving) ground.tally.fault(Fault::stalled, "the backend could send for ever though nobody read");
    phase(ground, "stalled");
    pair.backend.pause();
    for (const auto& taker : pair.takers) taker->read_on();
    const auto all_read = [&] { return ground.tally.faulty() || ground.tally.received == ground.tally.poured; };
    if (!ground.loop.until(all_read, ground.patience()))
        ground.tally.fault(Fault::lost_bytes, "not all that was sent arrived");
    return report(ground.tally, {}, member("held", held / ground.options.connections));
}

Result<std::string> check_reset(Ground& ground) {
    Pair pair(ground, Manner::listen, 2, 0, 0);
    if (const auto started = pair.start(); !started) return fail(started.error());
    if (!pair.open(ground)) {
        ground.tally.fault(Fault::stalled, "the connections did not all open");
        return report(ground.tally, {});
    }
    Backend& backend = pair.backend;
    pair.takers.front()->reset();
    ground.loop.until([&] { return backend.broken() + backend.finished() > 0; }, ground.patience());
    const std::string_view to_backend = end_name(backend.broken() > 0, backend.finished() > 0);

    const Taker& other = *pair.takers.back();
    backend.reset_all();
    ground.loop.until([&] { return other.end() != Taker::End::none; }, ground.patience());
    const std::string_view to_client = end_name(other.end() == Taker::End::broken, other.end() == Taker::End::finished);
    if (to_backend == "nothing" || to_client == "nothing") {
        ground.tally.fault(Fault::stalled, "a reset did not reach the other side in time");
    }
    return report(ground.tally, {}, member("to_backend", to_backend) + member("to_client", to_client));
}

}  // namespace sallyport::bench
