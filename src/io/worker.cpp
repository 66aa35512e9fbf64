#include "io/worker.hpp"

#include <pthread.h>

#include <atomic>

namespace sallyport::io {

// Belongs to the worker from being queued until it is posted back, and to the loop's thread before and after.
struct Worker::Job {
    Loop& loop;
    std::move_only_function<void()> work;
    std::atomic<bool> abandoned{false};  // the caller is gone; any thread may look
    std::optional<NotRun> failure{};     // written by the worker, read on the loop's thread after the post
    bool finished = false;               // on the loop's thread alone, as is the waiter
    Waiter* waiter = nullptr;

    // Sends the job home, and with it the last reference, so that what it owns is destroyed there.
    static void send_home(std::shared_ptr<Job> job) {
        Loop& home = job->loop;
        home.post([returned = std::move(job)] {
            returned->finished = true;
            if (returned->waiter != nullptr) returned->loop.wake(*returned->waiter, Wait::ready);
        });
    }
};

// Waits until the job has come home or its caller is cancelled.
struct Worker::Finished final : Cancellable {
    Job& job;
    Cancellation& cancellation;
    Waiter waiter{};

    Finished(Job& of, Cancellation& by) : job(of), cancellation(by) {}

    bool await_ready() const noexcept { return job.finished; }
    void await_suspend(std::coroutine_handle<> handle) {
        cancellation.bind(*this);
        job.waiter = &waiter;
        job.loop.wait(waiter, handle, Deadline::none);
    }
    Wait await_resume() const noexcept {
        job.waiter = nullptr;
        return waiter.outcome;
    }
    void on_cancel() override {
        job.abandoned.store(true, std::memory_order_relaxed);
        job.loop.wake(waiter, Wait::cancelled);
    }
};

Worker::Worker(std::size_t queue_limit) : queue_limit_(queue_limit), thread_([this] { work(); }) {
    pthread_setname_np(thread_.native_handle(), "worker");
}

Task<std::optional<NotRun>> Worker::submit(Loop& loop, Cancellation& cancellation,
                                           std::move_only_function<void()> work) {
    if (cancellation.requested()) co_return NotRun::cancelled;
    const auto job = std::make_shared<Job>(loop, std::move(work));
    if (const auto refused = enqueue(job)) co_return refused;
    const Wait waited = co_await Finished(*job, cancellation);
    if (waited == Wait::cancelled) co_return NotRun::cancelled;
    co_return job->failure;
}

std::optional<NotRun> Worker::enqueue(std::shared_ptr<Job> job) {
    {
        const std::scoped_lock lock(mutex_);
        if (stopping_) return NotRun::stopped;
        if (queue_.size() >= queue_limit_) return NotRun::full;
        queue_.push_back(std::move(job));
    }
    changed_.notify_one();
    return std::nullopt;
}

void Worker::work() {
    for (;;) {
        std::shared_ptr<Job> job;
        bool stopping = false;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
            if (queue_.empty()) return;
            stopping = stopping_;
            job = std::move(queue_.front());
            queue_.pop_front();
        }
        if (stopping)
            job->failure = NotRun::stopped;
        else if (!job->abandoned.load(std::memory_order_relaxed))
            job->work();
        Job::send_home(std::move(job));
    }
}

void Worker::stop() {
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_one();
    if (thread_.joinable()) thread_.join();
}

}  // namespace sallyport::io
