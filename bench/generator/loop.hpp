// One epoll loop, edge-triggered, registered once. Watchers outlive the loop's turns: who closes a descriptor keeps the
// object, so that an event already fetched for the old descriptor finds a live watcher and costs at most one EAGAIN.
#pragma once

#include <chrono>
#include <cstdint>

namespace sallyport::bench {

constexpr std::chrono::milliseconds a_turn{20};  // how long a loop with nothing to do waits

class Watcher {
public:
    Watcher() = default;
    Watcher(const Watcher&) = delete;
    Watcher& operator=(const Watcher&) = delete;
    virtual ~Watcher() = default;
    /// @param events the EPOLL* bits; may be stale, so an answer of EAGAIN is no surprise.
    virtual void on_ready(std::uint32_t events) = 0;
};

class Loop {
public:
    Loop();
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    /// Watches for reading, writing and the far end's finish, by edges. False: errno says why.
    bool add(int fd, Watcher& watcher) const;

    /// Waits at most `wait` for events, serves one batch, and says how many there were.
    int turn(std::chrono::milliseconds wait) const;

    /// Turns until `done()` holds or `limit` has passed; the answer is what `done()` said last.
    template <class Predicate>
    bool until(Predicate done, std::chrono::milliseconds limit) const {
        const auto end = std::chrono::steady_clock::now() + limit;
        while (!done()) {
            if (std::chrono::steady_clock::now() >= end) return done();
            turn(std::chrono::milliseconds{5});
        }
        return true;
    }

private:
    int epoll_;
};

}  // namespace sallyport::bench
