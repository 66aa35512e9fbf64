// One thread for what must not run on a loop: name look-ups by the system, building a configuration, a database.
//
// A caller waits on its own loop: `auto built = co_await worker.run(loop, cancellation, [file] { return build(file);
// })`. The job runs on the worker's thread, and the caller goes on on the loop's thread, exactly once. Jobs run one
// after the other, in the order of asking.
//
// A cancelled caller goes on at once. Its job is skipped when it has not begun; otherwise it runs to its end and its
// result is dropped. So a job owns all that it uses: it refers to nothing of the coroutine that asked for it. The job
// and its result are destroyed on the loop's thread.
#pragma once

#include "io/loop.hpp"
#include "io/task.hpp"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>

namespace sallyport::io {

/// Why a job has no result.
enum class NotRun : std::uint8_t {
    full,       // as many jobs wait as the queue holds
    cancelled,  // the caller was
    stopped,    // the worker was, before the job began
};

class Worker {
public:
    /// Starts the thread. It has the signal mask of the thread that calls.
    /// @param queue_limit  jobs that may wait, the running one not counted
    explicit Worker(std::size_t queue_limit);
    ~Worker() { stop(); }
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    /// Runs `job`, which returns a value, on the worker's thread. An exception in it is a bug and ends the program.
    /// The loop must live until the worker has stopped.
    template <class F, class T = std::invoke_result_t<F&>>
    Task<std::expected<T, NotRun>> run(Loop& loop, Cancellation& cancellation, F job) {
        struct Held {
            F job;
            std::optional<T> result;
        };
        auto held = std::make_shared<Held>(std::move(job), std::nullopt);
        const std::optional<NotRun> failure =
            co_await submit(loop, cancellation, [held] { held->result.emplace(held->job()); });
        if (failure) co_return std::unexpected(*failure);
        co_return std::move(*held->result);
    }

    /// Takes no more jobs, waits for the end of the one that runs, and answers `stopped` to those that wait: their
    /// loops must turn once more for that. From a thread that is not the worker's; a second call does nothing.
    void stop();

private:
    struct Job;
    struct Finished;

    Task<std::optional<NotRun>> submit(Loop& loop, Cancellation& cancellation, std::move_only_function<void()> work);
    std::optional<NotRun> enqueue(std::shared_ptr<Job> job);
    void work();

    const std::size_t queue_limit_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::shared_ptr<Job>> queue_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace sallyport::io
