// Waiting for any of several edges on one or two descriptors, with a deadline.
#pragma once

#include "io/loop.hpp"

#include <array>
#include <cstddef>

namespace sallyport::io {

enum class Interest : std::uint8_t { read, write };

/// `co_await WaitAny<2>(deadline, {{{a, Interest::read}, {b, Interest::write}}})`: ready as soon as one of them is.
/// Completes without suspending when one is ready now. One waiter for each descriptor and interest at a time.
template <std::size_t N>
class WaitAny {
public:
    struct Edge {
        Watched* watched = nullptr;
        Interest interest = Interest::read;
    };

    WaitAny(Deadline deadline, std::array<Edge, N> edges) : deadline_(deadline), edges_(edges) {}

    bool await_ready() noexcept {
        for (const Edge& edge : edges_) {
            if (edge.watched->cancelled) waiter_.outcome = Wait::cancelled;
            if (edge.watched->cancelled || now(edge)) return true;
        }
        return false;
    }
    void await_suspend(std::coroutine_handle<> handle) {
        for (const Edge& edge : edges_) slot(edge) = &waiter_;
        edges_[0].watched->loop->wait(waiter_, handle, deadline_);
        suspended_ = true;
    }
    Wait await_resume() noexcept {
        if (suspended_) {
            for (const Edge& edge : edges_) {
                if (slot(edge) == &waiter_) slot(edge) = nullptr;
            }
        }
        return waiter_.outcome;
    }

private:
    static bool now(const Edge& edge) {
        return edge.interest == Interest::read ? edge.watched->readable : edge.watched->writable;
    }
    static Waiter*& slot(const Edge& edge) {
        return edge.interest == Interest::read ? edge.watched->reader : edge.watched->writer;
    }

    Deadline deadline_;
    std::array<Edge, N> edges_;
    Waiter waiter_;
    bool suspended_ = false;
};

}  // namespace sallyport::io
