// For tests of this room and of those above: a loop with virtual time, pairs of streams, and system calls that fail.
#pragma once

#include "io/frame_pool.hpp"
#include "io/loop.hpp"
#include "io/scope.hpp"
#include "io/stream.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace sallyport::io::testing {

/// Descriptors that this process has open now.
inline std::size_t open_descriptors() {
    const std::filesystem::directory_iterator entries("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

/// Sees at its end that no coroutine frame of this thread and no descriptor of this process is left over.
class LeakCheck {
public:
    LeakCheck() = default;
    ~LeakCheck() {
        EXPECT_EQ(FramePool::live(), frames_before_) << "a coroutine or descriptor was left behind";
        EXPECT_EQ(open_descriptors(), descriptors_before_) << "a descriptor was left open";
    }
    LeakCheck(const LeakCheck&) = delete;
    LeakCheck& operator=(const LeakCheck&) = delete;

private:
    std::size_t frames_before_ = FramePool::live();
    std::size_t descriptors_before_ = open_descriptors();
};

/// A loop whose clock jumps to the next deadline when nothing else is left to do. Ends with nothing left over.
class VirtualLoop {
public:
    explicit VirtualLoop(const SystemCalls& calls = real_system_calls)
        : loop_(*Loop::create({.virtual_time = true, .system_calls = &calls})) {}
    Loop& operator*() { return *loop_; }
    Loop* operator->() { return loop_.get(); }

    /// Runs `task` and whatever it starts until nothing is left to wait for.
    void run(Task<void> task) {
        Scope scope(*loop_);
        scope.spawn(std::move(task));
        loop_->run();
        EXPECT_EQ(scope.running(), 0U) << "the task waits for something that never comes";
    }

private:
    LeakCheck leaks_;  // first, so that it looks last
    std::unique_ptr<Loop> loop_;
};

/// A loop in real time, for what the kernel or another thread does in its own time. Ends with nothing left over.
class RealLoop {
public:
    explicit RealLoop(const SystemCalls& calls = real_system_calls)
        : loop_(*Loop::create({.virtual_time = false, .system_calls = &calls})) {}
    Loop& operator*() { return *loop_; }
    Loop* operator->() { return loop_.get(); }

    /// Runs until `task` has ended.
    void run(Task<void> task) {
        Scope scope(*loop_);
        scope.spawn(stops_after(*loop_, std::move(task)));
        loop_->run();
    }

private:
    static Task<void> stops_after(Loop& loop, Task<void> task) {
        co_await task;
        loop.stop();
    }

    LeakCheck leaks_;
    std::unique_ptr<Loop> loop_;
};

/// Two ends of one connection.
inline std::pair<Fd, Fd> socket_pair() {
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
        throw std::runtime_error("socketpair");
    return {Fd(fds[0]), Fd(fds[1])};
}

struct StreamPair {
    Stream near;
    Stream far;
    StreamPair(Loop& loop, Cancellation& cancellation) : StreamPair(loop, cancellation, socket_pair()) {}

private:
    StreamPair(Loop& loop, Cancellation& cancellation, std::pair<Fd, Fd> fds)
        : near(*Stream::adopt(loop, std::move(fds.first), cancellation)),
          far(*Stream::adopt(loop, std::move(fds.second), cancellation)) {}
};

/// Everything the peer sends until it ends, read through `stream`.
inline Task<std::string> read_to_end(Stream& stream) {
    std::string out;
    for (;;) {
        std::byte room[1000];
        const Got got = co_await stream.read_some(room, Deadline::none);
        if (got.io != Io::ok) co_return out;
        out += as_text(Bytes(room).first(got.bytes));
    }
}

}  // namespace sallyport::io::testing
