// A flag that one coroutine waits for and others of the same loop raise.
#pragma once

#include "io/loop.hpp"

namespace sallyport::io {

class Event {
public:
    explicit Event(Loop& loop) : loop_(loop) {}

    void raise() {
        raised_ = true;
        loop_.wake(waiter_, Wait::ready);
    }
    bool raised() const { return raised_; }

    /// `co_await event.wait(deadline)`: ready once raised, and lowers the flag; timeout otherwise. One waiter at a
    /// time.
    auto wait(Deadline deadline) {
        struct Awaiter {
            Event& event;
            Deadline until;
            bool await_ready() const noexcept {
                event.waiter_.outcome = Wait::ready;
                return event.raised_;
            }
            void await_suspend(std::coroutine_handle<> handle) { event.loop_.wait(event.waiter_, handle, until); }
            Wait await_resume() const noexcept {
                event.raised_ = false;
                return event.waiter_.outcome;
            }
        };
        return Awaiter{*this, deadline};
    }

private:
    Loop& loop_;
    Waiter waiter_;
    bool raised_ = false;
};

}  // namespace sallyport::io
