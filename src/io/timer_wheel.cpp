#include "io/timer_wheel.hpp"

#include <algorithm>
#include <bit>

namespace sallyport::io {

std::uint64_t TimerWheel::tick_of(SteadyTime time, bool round_up) const {
    if (time <= start_) return 0;
    const auto since = static_cast<std::uint64_t>((time - start_).count());
    const std::uint64_t down = since >> tick_shift;
    const bool exact = (down << tick_shift) == since;
    return std::min(down + (round_up && !exact ? 1 : 0), last_tick);
}

void TimerWheel::place(Timer& timer) {
    const std::uint64_t differs = (timer.tick ^ current_) | 1;
    const unsigned level = static_cast<unsigned>(63 - std::countl_zero(differs)) / bits;
    const unsigned slot = static_cast<unsigned>(timer.tick >> (bits * level)) & 63U;
    timer.level = static_cast<std::uint8_t>(level);
    timer.slot = static_cast<std::uint8_t>(slot);
    timer.armed = true;
    slots_[level][slot].push_back(timer);
    occupied_[level] |= std::uint64_t{1} << slot;
}

void TimerWheel::arm(Timer& timer, SteadyTime when) {
    disarm(timer);
    timer.tick = std::min(std::max(tick_of(when, true), current_ + 1), last_tick);
    place(timer);
}

void TimerWheel::disarm(Timer& timer) {
    if (!timer.armed) return;
    timer.armed = false;
    timer.leave();
    if (slots_[timer.level][timer.slot].empty()) occupied_[timer.level] &= ~(std::uint64_t{1} << timer.slot);
}

std::optional<std::uint64_t> TimerWheel::next_tick() const {
    // A timer of level n shares all higher bits with the present tick, so its slot lies ahead on that level, and
    // whatever a lower level holds is due before the next slot of a higher one.
    for (unsigned level = 0; level < levels; ++level) {
        const unsigned shift = bits * level;
        const unsigned here = static_cast<unsigned>(current_ >> shift) & 63U;
        const std::uint64_t ahead = here == 63 ? 0 : occupied_[level] & (~std::uint64_t{0} << (here + 1));
        if (ahead == 0) continue;
        const auto slot = static_cast<std::uint64_t>(std::countr_zero(ahead));
        return (current_ >> (shift + bits) << (shift + bits)) | slot << shift;
    }
    return std::nullopt;
}

void TimerWheel::take(unsigned level, List<Timer>& into) {
    const unsigned slot = static_cast<unsigned>(current_ >> (bits * level)) & 63U;
    into.take(slots_[level][slot]);
    occupied_[level] &= ~(std::uint64_t{1} << slot);
}

void TimerWheel::advance(SteadyTime now, List<Timer>& due) {
    const std::uint64_t to = tick_of(now, false);
    while (const auto tick = next_tick()) {
        if (*tick > to) break;
        current_ = *tick;
        for (unsigned level = levels - 1; level > 0; --level) {
            const std::uint64_t below = (std::uint64_t{1} << (bits * level)) - 1;
            if ((current_ & below) != 0) continue;  // not at the start of a slot of this level
            List<Timer> coming_down;
            take(level, coming_down);
            while (Timer* timer = coming_down.pop_front()) place(*timer);
        }
        List<Timer> expired;
        take(0, expired);
        while (Timer* timer = expired.pop_front()) {
            timer->armed = false;
            due.push_back(*timer);
        }
    }
    current_ = std::max(current_, to);
}

std::optional<SteadyTime> TimerWheel::next() const {
    const auto tick = next_tick();
    if (!tick) return std::nullopt;
    return start_ + Duration(static_cast<Duration::rep>(*tick << tick_shift));
}

}  // namespace sallyport::io
