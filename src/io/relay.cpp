#include "io/relay.hpp"

#include <algorithm>

namespace sallyport::io {

namespace {

constexpr std::size_t fair_share = std::size_t{1024} * 1024;  // bytes a turn, each direction
// A peer that could not take the last write gets smaller ones: that bounds what its stream keeps.
constexpr std::size_t cautious_read = std::size_t{64} * 1024;

enum class Pumped : std::uint8_t { waiting, paused, share_used, ended, read_failed, write_failed, refused };

struct Direction {
    Stream& from;
    Stream& to;
    std::uint64_t& count;
    RelayWatch* watch;
    bool upward;  // from the client
    bool ended = false;
    bool cautious = false;

    /// @param last  the other direction has ended: the caller closes both, so no FIN of its own is due.
    Pumped pump(bool last, RelayPace* pace) {
        for (std::size_t share = fair_share; share > 0;) {
            if (to.blocked()) {
                const Io flushed = to.flush();
                if (flushed == Io::failed) return Pumped::write_failed;
                if (flushed == Io::again) return Pumped::waiting;
            }
            if (ended) return Pumped::ended;
            if (!from.watched().readable) return Pumped::waiting;
            std::size_t most = cautious ? cautious_read : Loop::buffer_size;
            if (pace != nullptr) most = std::min(most, pace->ask_again(from.loop().now()));
            if (most == 0) return Pumped::paused;
            const Got got = from.read(from.loop().buffer().first(most));
            if (pace != nullptr) pace->give_back(pace->granted().bytes - got.bytes);
            if (got.io == Io::failed) return Pumped::read_failed;
            if (got.io == Io::again) return Pumped::waiting;
            if (got.io == Io::eof) {
                if (watch != nullptr && !upward) watch->target_ended(to);
                if (!last || to.is_tls()) to.shutdown_write();
                ended = true;
                continue;  // close_notify may have to wait for room
            }
            count += got.bytes;
            const Bytes came = Bytes(from.loop().buffer()).first(got.bytes);
            if (watch != nullptr) {
                // A side that can't take what is passed on is found broken by the next read or flush.
                const bool goes_on = upward ? watch->from_client(came, from, to) : watch->from_target(came, to, from);
                if (!goes_on) return Pumped::refused;
            } else if (to.write(came) == Io::failed) {
                return Pumped::write_failed;
            }
            cautious = to.blocked();
            share -= std::min(share, got.bytes);
        }
        return Pumped::share_used;
    }

    bool waits() const { return !ended || to.blocked(); }

    // The edge this direction waits for: room to write what is kept, or something to read.
    WaitAny<2>::Edge edge() const {
        if (to.blocked()) return {&to.watched(), Interest::write};
        return {&from.watched(), Interest::read};
    }
};

struct Went {
    Pumped up = Pumped::waiting;
    Pumped down = Pumped::waiting;
};

// Nothing follows what a client was told by a watch that refuses.
Went pump_both(Direction& up, Direction& down, bool down_first, RelayPace* pace) {
    Went went;
    if (down_first) went.down = down.pump(up.ended, pace);
    if (went.down != Pumped::refused) went.up = up.pump(down.ended, pace);
    if (!down_first && went.up != Pumped::refused) went.down = down.pump(up.ended, pace);
    return went;
}

// A coroutine of its own, for its frame: hardly any relay has a pace.
Task<Wait> pause(Loop& loop, RelayPace& pace) {
    co_return co_await Sleep(loop, pace.cancellation(), Deadline::at(pace.granted().again));
}

}  // namespace

void RelayWatch::target_ended(Stream&) {}

Task<RelayEnd> relay(Stream& client, Stream& target, RelayLimits limits, Relayed& relayed, RelayWatch* watch) {
    Direction up{client, target, relayed.to_target, watch, true};
    Direction down{target, client, relayed.to_client, watch, false};
    Loop& loop = client.loop();
    for (bool down_first = false;;) {
        const auto [went_up, went_down] = pump_both(up, down, down_first, limits.pace);
        if (went_up == Pumped::refused || went_down == Pumped::refused) co_return RelayEnd::refused;
        if (went_up == Pumped::read_failed || went_down == Pumped::write_failed) {
            target.reset();
            co_return RelayEnd::client_failed;
        }
        if (went_down == Pumped::read_failed || went_up == Pumped::write_failed) {
            client.reset();
            co_return RelayEnd::target_failed;
        }
        if (went_up == Pumped::ended && went_down == Pumped::ended) co_return RelayEnd::both_closed;
        if (went_up == Pumped::paused || went_down == Pumped::paused) {
            down_first = !down_first;  // or the first would leave nothing for the other, ever
            const Wait waited = co_await pause(loop, *limits.pace);
            if (waited == Wait::timeout) continue;
            co_return RelayEnd::cancelled;
        }
        if (went_up == Pumped::share_used || went_down == Pumped::share_used) {
            co_await Yield{loop};
            // A stream that never runs dry awaits nothing else that would tell of it.
            if (!client.watched().cancelled && !target.watched().cancelled) continue;
            co_return RelayEnd::cancelled;
        }
        const bool one_ended = up.ended || down.ended;
        const Duration patience = one_ended && limits.half_closed > Duration{0} ? limits.half_closed : limits.idle;
        const Deadline deadline = patience > Duration{0} ? loop.in(patience) : Deadline::none;
        const auto first = up.waits() ? up.edge() : down.edge();
        const auto second = down.waits() ? down.edge() : up.edge();
        const Wait waited = co_await WaitAny<2>(deadline, {{first, second}});
        if (waited == Wait::ready) continue;
        co_return waited == Wait::timeout ? RelayEnd::idle : RelayEnd::cancelled;
    }
}

}  // namespace sallyport::io
