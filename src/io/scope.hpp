// Children of a coroutine: spawned into a scope, joined by it. When a scope ends, nothing of it runs on.
#pragma once

#include "io/loop.hpp"
#include "io/task.hpp"

#include <cassert>
#include <cstddef>

namespace sallyport::io {

namespace detail {

/// A coroutine nobody awaits; its frame goes when it ends.
struct Detached {
    struct promise_type {
        Detached get_return_object() { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() noexcept { std::terminate(); }
        static void* operator new(std::size_t size) { return FramePool::allocate(size); }
        static void operator delete(void* frame, std::size_t size) { FramePool::release(frame, size); }
    };
};

}  // namespace detail

class Scope {
public:
    explicit Scope(Loop& loop) : loop_(loop) {}
    ~Scope() { assert(running_ == 0 && "a scope ends only after its children: co_await join()"); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

    /// Starts a child at once; it runs until its first suspension before spawn() returns. A child takes what it needs
    /// by value, or refers to what outlives the scope.
    void spawn(Task<void> child) {
        ++running_;
        run(*this, std::move(child));
    }

    /// Asks every child that awaits with this scope's cancellation to end; join() then waits until they have.
    void cancel() { cancellation_.request(); }
    Cancellation& cancellation() { return cancellation_; }
    std::size_t running() const { return running_; }
    Loop& loop() { return loop_; }

    /// Waits until no child runs: `co_await scope.join()`. One joiner at a time.
    auto join() {
        struct Join {
            Scope& scope;
            bool await_ready() const noexcept { return scope.running_ == 0; }
            void await_suspend(std::coroutine_handle<> handle) {
                scope.joiner_.outcome = Wait::ready;
                scope.loop_.wait(scope.joiner_, handle, Deadline::none);
            }
            void await_resume() const noexcept {}
        };
        return Join{*this};
    }

private:
    static detail::Detached run(Scope& scope, Task<void> child) {
        co_await child;
        if (--scope.running_ == 0) scope.loop_.wake(scope.joiner_, Wait::ready);
    }

    Loop& loop_;
    Cancellation cancellation_;
    std::size_t running_ = 0;
    Waiter joiner_;
};

}  // namespace sallyport::io
