// Cooperative cancellation: who cancels says so once, and every await of the cancelled work, present and future,
// answers Wait::cancelled. Nothing is destroyed from outside; the work unwinds by itself.
#pragma once

#include "io/list.hpp"

namespace sallyport::io {

/// Something that a cancellation wakes: a descriptor, a sleep.
struct Cancellable : ListNode {
    virtual void on_cancel() = 0;

protected:
    ~Cancellable() = default;
};

/// One for each session or scope; belongs to one loop. Must outlive what is bound to it.
class Cancellation {
public:
    /// Work of another cancellation is taken over from it. Bound to one that has been requested, it is told at once.
    void bind(Cancellable& work) {
        work.leave();
        bound_.push_back(work);
        if (requested_) work.on_cancel();
    }
    void request() {
        if (requested_) return;
        requested_ = true;
        bound_.for_each([](Cancellable& work) { work.on_cancel(); });
    }
    bool requested() const { return requested_; }

private:
    bool requested_ = false;
    List<Cancellable> bound_;
};

}  // namespace sallyport::io
