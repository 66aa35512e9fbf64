// What the log's thread sleeps on while nothing is reported, and how the data loops wake it: by a system call where it
// sleeps, and else by nothing but an exchange of a flag of their own.
#pragma once

#include "io/fd.hpp"

#include <atomic>
#include <chrono>
#include <optional>

namespace sallyport::telemetry {

class LogWaker {
public:
    /// Throws std::system_error where the system has no descriptor left.
    LogWaker();

    /// Any thread. The next wait ends at once, also one that has not begun.
    void wake();
    /// The log's thread: waits for wake(), `most` at the most, or for ever.
    void wait(std::optional<std::chrono::milliseconds> most);

private:
    io::Fd event_;
};

/// Between the log's thread and one loop.
///
/// Both exchange one flag, so one of them comes first. If the loop does, the thread finds what was reported when it
/// looks after arm(); if the thread does, the loop finds the flag and wakes it. So nothing waits in a ring unseen, as
/// long as the thread looks between arm() and sleeping.
class LogAlarm {
public:
    /// @param waker  null: nobody sleeps
    explicit LogAlarm(LogWaker* waker) : waker_(waker) {}

    /// The log's thread: what is reported from now on is to wake it.
    void arm() { armed_.exchange(true, std::memory_order_acq_rel); }
    /// The loop: something was reported.
    void trip() {
        if (armed_.exchange(false, std::memory_order_acq_rel) && waker_ != nullptr) waker_->wake();
    }

private:
    LogWaker* waker_;
    alignas(64) std::atomic<bool> armed_{true};  // the thread may sleep already
};

}  // namespace sallyport::telemetry
