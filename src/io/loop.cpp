#include "io/loop.hpp"

#include "io/frame_pool.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <limits>
#include <new>

namespace sallyport::io {

namespace {

constexpr int events_a_turn = 256;
constexpr unsigned arrivals = EPOLLIN | EPOLLRDHUP | EPOLLET;

}  // namespace

void Watched::on_cancel() {
    cancelled = true;
    if (reader != nullptr) loop->wake(*reader, Wait::cancelled);
    if (writer != nullptr) loop->wake(*writer, Wait::cancelled);
}

Result<std::unique_ptr<Loop>> Loop::create(Options options) {
    auto loop = std::unique_ptr<Loop>(new Loop(options));
    loop->epoll_ = Fd(epoll_create1(EPOLL_CLOEXEC));
    loop->wakeup_ = Fd(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (!loop->epoll_ || !loop->wakeup_)
        return fail(std::string("an event loop needs epoll and eventfd: ") + std::strerror(errno));
    epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.ptr = nullptr}};
    if (epoll_ctl(loop->epoll_.get(), EPOLL_CTL_ADD, loop->wakeup_.get(), &event) != 0) {
        return fail(std::string("an event loop can't watch its eventfd: ") + std::strerror(errno));
    }
    return loop;
}

Loop::Loop(Options options)
    : options_(options),
      now_(std::chrono::steady_clock::now()),
      wall_(std::chrono::system_clock::now()),
      wheel_(now_),
      buffer_(new std::byte[buffer_size]),
      tls_in_(new std::byte[tls_size]),
      tls_out_(new std::byte[tls_size]) {}

Loop::~Loop() {
    run_posted();
    bury();
    bury();
}

void Loop::stop() {
    stopping_.store(true, std::memory_order_release);
    post([] {});
}

void Loop::post(std::move_only_function<void()> work) {
    auto* posted = new Posted{nullptr, std::move(work)};
    posted->next = posted_.load(std::memory_order_relaxed);
    while (!posted_.compare_exchange_weak(posted->next, posted, std::memory_order_release, std::memory_order_relaxed)) {
    }
    const std::uint64_t one = 1;
    // Only a full counter refuses, and then the loop has been woken already.
    [[maybe_unused]] const auto written = ::write(wakeup_.get(), &one, sizeof one);
}

void Loop::run_posted() {
    Posted* newest = posted_.exchange(nullptr, std::memory_order_acquire);
    Posted* oldest = nullptr;
    while (newest != nullptr) {  // a stack: turn it round
        Posted* next = std::exchange(newest->next, oldest);
        oldest = std::exchange(newest, next);
    }
    while (oldest != nullptr) {
        const std::unique_ptr<Posted> posted(oldest);
        oldest = posted->next;
        posted->work();
    }
}

void Loop::read_clocks() {
    if (options_.virtual_time) return;
    now_ = std::chrono::steady_clock::now();
    wall_ = std::chrono::system_clock::now();
}

int Loop::wait_time() const {
    if (!ready_.empty() || posted_.load(std::memory_order_acquire) != nullptr || options_.virtual_time) return 0;
    const auto next = wheel_.next();
    if (!next) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*next - now_).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, std::numeric_limits<int>::max()));
}

void Loop::run() {
    read_clocks();
    while (!stopping_.load(std::memory_order_acquire)) {
        turns_.store(turns_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        take_events(wait_time());
        run_timers();
        run_posted();
        const bool idle = ready_.empty();
        run_ready();
        bury();
        if (options_.virtual_time && idle && ready_.empty() && posted_.load(std::memory_order_acquire) == nullptr) {
            const auto next = wheel_.next();
            if (!next) return;
            wall_ += *next - now_;
            now_ = *next;
        }
    }
    stopping_.store(false, std::memory_order_relaxed);
}

void Loop::take_events(int timeout_ms) {
    std::array<epoll_event, events_a_turn> events;
    const int count = epoll_wait(epoll_.get(), events.data(), events_a_turn, timeout_ms);
    read_clocks();
    for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        if (event.data.ptr != nullptr) {
            take_event(*static_cast<Watched*>(event.data.ptr), event.events);
            continue;
        }
        std::uint64_t posts = 0;
        [[maybe_unused]] const auto got = ::read(wakeup_.get(), &posts, sizeof posts);
    }
}

void Loop::take_event(Watched& watched, unsigned events) {
    if (watched.fd < 0) return;  // closed earlier in this batch
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) watched.hung_up = true;
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
        watched.readable = true;
        if (watched.reader != nullptr) wake(*watched.reader, Wait::ready);
    }
    if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) {
        watched.writable = true;
        if (watched.writer != nullptr) wake(*watched.writer, Wait::ready);
    }
}

void Loop::run_ready() {
    List<Waiter> now;
    now.take(ready_);
    while (Waiter* waiter = now.pop_front()) waiter->handle.resume();
}

Watched* Loop::watch(int fd, Cancellation& cancellation, bool writable_now) {
    Watched* watched = watch_for(arrivals | EPOLLOUT, fd, cancellation);
    if (watched != nullptr) watched->writable = writable_now;
    return watched;
}

Watched* Loop::watch_arrivals(int fd, Cancellation& cancellation) {
    Watched* watched = watch_for(arrivals, fd, cancellation);
    if (watched != nullptr) watched->writable = true;
    return watched;
}

void Loop::watch_room_too(Watched& watched) {
    epoll_event event{.events = arrivals | EPOLLOUT, .data = {.ptr = &watched}};
    epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, watched.fd, &event);
}

Watched* Loop::watch_for(unsigned events, int fd, Cancellation& cancellation) {
    auto* watched = new (FramePool::allocate(sizeof(Watched))) Watched;
    watched->loop = this;
    watched->fd = fd;
    watched->cancelled = cancellation.requested();
    epoll_event event{.events = events, .data = {.ptr = watched}};
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
        watched->~Watched();
        FramePool::release(watched, sizeof(Watched));
        return nullptr;
    }
    cancellation.bind(*watched);
    return watched;
}

void Loop::unwatch(Watched* watched) {
    // Closing alone does not take a descriptor out of epoll while a copy of it is open, say in a program that another
    // thread has just forked. An event of this batch may still name its state, and so may a waiter that runs in the
    // next turn: it is freed at the end of that one.
    epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, watched->fd, nullptr);
    watched->fd = -1;
    watched->leave();
    for (Waiter* waiter : {watched->reader, watched->writer}) {
        if (waiter == nullptr) continue;
        wake(*waiter, Wait::cancelled);
        waiter->outcome = Wait::cancelled;  // also where it has been woken and not run yet: what it would use is gone
    }
    watched->next_dead = std::exchange(dying_, watched);
}

void Loop::bury() {
    while (dead_ != nullptr) {
        Watched* watched = std::exchange(dead_, dead_->next_dead);
        watched->~Watched();
        FramePool::release(watched, sizeof(Watched));
    }
    dead_ = std::exchange(dying_, nullptr);
}

void Loop::wait(Waiter& waiter, std::coroutine_handle<> handle, Deadline deadline) {
    waiter.handle = handle;
    waiter.waiting = true;
    if (!deadline.is_none()) wheel_.arm(waiter, deadline.when());
}

void Loop::wake(Waiter& waiter, Wait outcome) {
    if (!waiter.waiting) return;
    waiter.waiting = false;
    waiter.outcome = outcome;
    wheel_.disarm(waiter);
    ready_.push_back(waiter);
}

void Loop::requeue(Waiter& waiter, std::coroutine_handle<> handle) {
    waiter.handle = handle;
    ready_.push_back(waiter);
}

void Loop::run_timers() {
    List<Timer> due;
    wheel_.advance(now_, due);
    while (Timer* timer = due.pop_front()) wake(static_cast<Waiter&>(*timer), Wait::timeout);
}

}  // namespace sallyport::io
