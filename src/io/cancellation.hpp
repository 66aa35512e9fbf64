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
    void bind(Cancellable& work) {
        work.leave();
        bound_.push_back(work);
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
