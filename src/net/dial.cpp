#include "net/dial.hpp"

#include "io/event.hpp"
#include "io/scope.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <utility>

namespace sallyport::net {

using namespace io;

namespace {

using Dialed = std::expected<Stream, ConnectError>;

// Passes the caller's cancellation on to all attempts.
class PassOn final : public Cancellable {
public:
    explicit PassOn(Scope& attempts) : attempts_(attempts) {}

private:
    void on_cancel() override { attempts_.cancel(); }

    Scope& attempts_;
};

// The attempts have a cancellation of their own, for the losers must end while the winner lives on.
struct Race {
    Race(Loop& on, Cancellation& by) : loop(on), caller(by), attempts(on), changed(on) {}

    Loop& loop;
    Cancellation& caller;
    Scope attempts;
    Event changed;  // an attempt has ended
    PassOn pass_on{attempts};
    std::optional<Stream> winner;
    std::optional<ConnectError> error;  // the most telling one so far
    std::size_t failed = 0;
};

int telling(ConnectFailure failure) {
    static constexpr std::array order{ConnectFailure::local, ConnectFailure::unreachable, ConnectFailure::timeout,
                                      ConnectFailure::refused};
    return static_cast<int>(std::ranges::find(order, failure) - order.begin());
}

Task<void> attempt(Race& race, SocketAddress to, std::optional<Source> source, Deadline deadline) {
    auto stream = co_await connect_tcp(race.loop, race.attempts.cancellation(), to, source, deadline);
    if (stream && !race.winner) {
        race.caller.bind(stream->watched());  // before the attempts are cancelled, so that this one is not
        race.winner = std::move(*stream);
        race.attempts.cancel();
    }
    if (!stream && stream.error().failure != ConnectFailure::cancelled) {
        ++race.failed;
        if (!race.error || telling(stream.error().failure) > telling(race.error->failure)) race.error = stream.error();
    }
    race.changed.raise();
}

// Starts the attempts in turn, until one has won or all have ended. While this waits one at least is running, and ends
// by itself when the time is over or the caller cancels.
Task<void> run_attempts(Race& race, const DialPlan& plan, Deadline deadline) {
    std::size_t started = 0;
    std::size_t failed_before = 0;
    SteadyTime next = race.loop.now();
    while (!race.winner && !race.caller.requested()) {
        const SteadyTime now = race.loop.now();
        const bool more = started < plan.addresses.size() && now < deadline.when();
        if (!more && race.failed == started) break;
        if (more && (now >= next || race.failed > failed_before)) {
            failed_before = race.failed;
            next = now + attempt_delay;
            const SocketAddress to = plan.addresses[started++];
            race.attempts.spawn(attempt(race, to, plan.source_towards(to.ip), deadline));
            continue;
        }
        co_await race.changed.wait(more ? Deadline::at(next) : Deadline::none);
    }
}

Task<Dialed> race_addresses(Loop& loop, Cancellation& cancellation, DialPlan plan, Deadline deadline) {
    Race race(loop, cancellation);
    cancellation.bind(race.pass_on);
    co_await run_attempts(race, plan, deadline);
    co_await race.attempts.join();
    if (cancellation.requested()) co_return std::unexpected(ConnectError{ConnectFailure::cancelled});
    if (race.winner) co_return std::move(*race.winner);
    co_return std::unexpected(race.error.value_or(ConnectError{ConnectFailure::timeout}));
}

Task<Dialed> nowhere_to_go(int error) { co_return std::unexpected(ConnectError{ConnectFailure::unreachable, error}); }

// RFC 8305 section 4, with a First Address Family Count of 1.
std::vector<SocketAddress> interleave(const std::vector<SocketAddress>& addresses) {
    std::array<std::vector<SocketAddress>, 2> families;
    for (const SocketAddress& address : addresses) {
        families[address.ip.is_v4() == addresses.front().ip.is_v4() ? 0 : 1].push_back(address);
    }
    std::vector<SocketAddress> out;
    out.reserve(addresses.size());
    for (std::size_t i = 0; out.size() < addresses.size(); ++i) {
        for (const auto& family : families) {
            if (i < family.size()) out.push_back(family[i]);
        }
    }
    return out;
}

}  // namespace

Task<Dialed> dial(Loop& loop, Cancellation& cancellation, DialPlan plan, Deadline deadline) {
    if (plan.addresses.empty()) return nowhere_to_go(EDESTADDRREQ);
    if (plan.source) {
        std::erase_if(plan.addresses, [&](const SocketAddress& to) { return to.ip.is_v4() != plan.source->is_v4(); });
        if (plan.addresses.empty()) return nowhere_to_go(EAFNOSUPPORT);
    }
    const auto lacks_source = [&](const SocketAddress& to) { return !plan.source_towards(to.ip); };
    if (!std::ranges::all_of(plan.addresses, lacks_source)) std::erase_if(plan.addresses, lacks_source);
    // The usual case has no race, and so no frame beyond the one that connects.
    if (plan.addresses.size() == 1) {
        const SocketAddress to = plan.addresses.front();
        return connect_tcp(loop, cancellation, to, plan.source_towards(to.ip), deadline);
    }
    plan.addresses = interleave(plan.addresses);
    return race_addresses(loop, cancellation, std::move(plan), deadline);
}

}  // namespace sallyport::net
