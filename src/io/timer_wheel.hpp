// Deadlines by the hundred thousand: arming and disarming are O(1), and nothing is asked of the kernel.
//
// A hierarchical wheel (Varghese and Lauck): six levels of 64 slots; a timer waits on the level of the highest six-bit
// group in which its tick differs from the present one, and moves down as that tick comes near. One bit a slot says
// where there is anything, so an idle loop finds its next deadline without walking. Knows no clock: ticks come from
// outside.
#pragma once

#include "base/time.hpp"
#include "io/list.hpp"

#include <array>
#include <cstdint>
#include <optional>

namespace sallyport::io {

struct Timer : ListNode {
    std::uint64_t tick = 0;
    std::uint8_t level = 0;
    std::uint8_t slot = 0;
    bool armed = false;
};

class TimerWheel {
public:
    static constexpr unsigned tick_shift = 22;  // a tick is 2^22 ns, about 4.2 ms

    explicit TimerWheel(SteadyTime start) : start_(start) {}

    /// Arms `timer` to be due at `when` or up to one tick later, never earlier. An armed timer is moved.
    /// Beyond nine years from the start it is due at nine years.
    void arm(Timer& timer, SteadyTime when);
    void disarm(Timer& timer);

    /// Moves everything due at `now` to the end of `due`, in order of ticks; it is armed no more.
    void advance(SteadyTime now, List<Timer>& due);

    /// When the wheel wants to be advanced next: at or before the earliest deadline. Nothing when no timer is armed.
    std::optional<SteadyTime> next() const;

private:
    static constexpr unsigned bits = 6;
    static constexpr unsigned levels = 6;
    static constexpr std::uint64_t last_tick = (std::uint64_t{1} << (bits * levels)) - 1;

    std::uint64_t tick_of(SteadyTime time, bool round_up) const;
    std::optional<std::uint64_t> next_tick() const;
    void place(Timer& timer);
    void take(unsigned level, List<Timer>& into);

    SteadyTime start_;
    std::uint64_t current_ = 0;
    std::array<std::uint64_t, levels> occupied_{};
    std::array<std::array<List<Timer>, 64>, levels> slots_;
};

}  // namespace sallyport::io
