// One event loop on one thread: edge-triggered epoll, a timer wheel, a queue of coroutines that can go on.
//
// Time is read once a turn. Coroutines are resumed only from the loop's own turn, never from within each other, so
// what a coroutine sees between two awaits is changed by nobody else. Other threads reach a loop by post() alone.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "io/cancellation.hpp"
#include "io/fd.hpp"
#include "io/list.hpp"
#include "io/system_calls.hpp"
#include "io/timer_wheel.hpp"

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <memory>

namespace sallyport::io {

/// How an await ended.
enum class Wait : std::uint8_t { ready, timeout, cancelled };

/// Until when an await waits. Every await names one; `Deadline::none` is for what may idle for days.
class Deadline {
public:
    static const Deadline none;
    static Deadline at(SteadyTime when) { return Deadline(when); }
    bool is_none() const { return when_ == SteadyTime::max(); }
    SteadyTime when() const { return when_; }
    Deadline sooner(Deadline other) const { return when_ < other.when_ ? *this : other; }

private:
    explicit constexpr Deadline(SteadyTime when) : when_(when) {}
    SteadyTime when_;
};
inline constexpr Deadline Deadline::none{SteadyTime::max()};

/// A coroutine that waits for one of several things: events, a deadline, cancellation. Lives in the awaiter. It is
/// in the timer wheel while it waits, or in the ready queue when it has been woken; never in both.
struct Waiter : Timer {
    std::coroutine_handle<> handle;
    Wait outcome = Wait::ready;
    bool waiting = false;
};

/// A descriptor's place in the loop: what the last edges said, and who waits for the next.
struct Watched final : Cancellable {
    class Loop* loop = nullptr;
    int fd = -1;
    bool readable = false;
    bool writable = false;
    bool hung_up = false;    // the peer will send no more (EPOLLRDHUP), or the connection is dead
    bool cancelled = false;
    Waiter* reader = nullptr;
    Waiter* writer = nullptr;
    Watched* next_dead = nullptr;

    void on_cancel() override;
};

class Loop {
public:
    struct Options {
        /// Virtual time: when nothing is ready, the clock jumps to the next deadline. For tests.
        bool virtual_time = false;
        const SystemCalls* system_calls = &real_system_calls;
    };
    static Result<std::unique_ptr<Loop>> create(Options options);
    static Result<std::unique_ptr<Loop>> create() { return create(Options{}); }
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    /// Turns until stop(). With virtual time it also returns when nothing is left to wait for.
    void run();
    /// From any thread. The present turn is finished.
    void stop();
    /// Runs `work` on the loop's thread, in the order of posting. From any thread; never blocks.
    void post(std::move_only_function<void()> work);

    SteadyTime now() const { return now_; }
    WallTime wall() const { return wall_; }
    /// The wall clock's time at a moment of the steady one.
    WallTime wall_at(SteadyTime when) const {
        return wall_ - std::chrono::duration_cast<WallTime::duration>(now_ - when);
    }
    Deadline in(Duration after) const { return Deadline::at(now_ + after); }
    /// Turns so far: a watchdog sees by it that the loop lives. From any thread.
    std::uint64_t turns() const { return turns_.load(std::memory_order_relaxed); }

    /// The read buffer that all connections of this loop share. What is in it is gone at the next await.
    MutableBytes buffer() { return {buffer_.get(), buffer_size}; }
    static constexpr std::size_t buffer_size = std::size_t{512} * 1024;  // bytes; facts: half of a usual L2 cache

    /// Ciphertext on its way in and out, for TLS streams of this loop; valid within one call.
    MutableBytes tls_in() { return {tls_in_.get(), tls_size}; }
    MutableBytes tls_out() { return {tls_out_.get(), tls_size}; }
    static constexpr std::size_t tls_size = std::size_t{256} * 1024;

    const SystemCalls& system_calls() const { return *options_.system_calls; }

    // What awaiters are made of.
    Watched* watch(int fd, Cancellation& cancellation, bool writable_now);  // null: epoll refused, errno says why
    // Of a UDP socket each datagram that leaves makes room, which would be an event each: nobody asks for these before
    // the socket was full.
    Watched* watch_arrivals(int fd, Cancellation& cancellation);
    void watch_room_too(Watched& watched);
    void unwatch(Watched* watched);
    void wait(Waiter& waiter, std::coroutine_handle<> handle, Deadline deadline);
    void wake(Waiter& waiter, Wait outcome);
    void requeue(Waiter& waiter, std::coroutine_handle<> handle);  // at the next turn, after what is ready now

private:
    struct Posted {
        Posted* next;
        std::move_only_function<void()> work;
    };

    explicit Loop(Options options);
    void read_clocks();
    int wait_time() const;
    Watched* watch_for(unsigned events, int fd, Cancellation& cancellation);
    void take_events(int timeout_ms);
    void take_event(Watched& watched, unsigned events);
    void run_timers();
    void run_posted();
    void run_ready();
    void bury();

    Options options_;
    SteadyTime now_;
    WallTime wall_;
    TimerWheel wheel_;
    List<Waiter> ready_;
    Watched* dying_ = nullptr;  // closed in this turn: events and woken waiters may still name them
    Watched* dead_ = nullptr;  // closed in the turn before
    Fd epoll_;
    Fd wakeup_;
    std::atomic<Posted*> posted_{nullptr};
    std::atomic<bool> stopping_{false};
    std::atomic<std::uint64_t> turns_{0};
    std::unique_ptr<std::byte[]> buffer_;
    std::unique_ptr<std::byte[]> tls_in_;
    std::unique_ptr<std::byte[]> tls_out_;
};

/// Lets every other ready coroutine run before this one goes on: `co_await Yield{loop}`.
struct Yield {
    Loop& loop;
    Waiter waiter{};

    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle) { loop.requeue(waiter, handle); }
    void await_resume() const noexcept {}
};

/// Sleeps until the deadline: `co_await Sleep(loop, cancellation, loop.in(1s))` answers timeout or cancelled.
class Sleep final : Cancellable {
public:
    Sleep(Loop& loop, Cancellation& cancellation, Deadline deadline)
        : loop_(loop), cancellation_(cancellation), deadline_(deadline) {}

    bool await_ready() noexcept {
        waiter_.outcome = Wait::cancelled;
        return cancellation_.requested();
    }
    void await_suspend(std::coroutine_handle<> handle) {
        cancellation_.bind(*this);
        loop_.wait(waiter_, handle, deadline_);
    }
    Wait await_resume() const noexcept { return waiter_.outcome; }

private:
    void on_cancel() override { loop_.wake(waiter_, Wait::cancelled); }

    Loop& loop_;
    Cancellation& cancellation_;
    Deadline deadline_;
    Waiter waiter_;
};

}  // namespace sallyport::io
