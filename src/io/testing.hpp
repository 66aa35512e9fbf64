// For tests of this room and of those above: a loop with virtual time, pairs of streams, and system calls that fail.
#pragma once

#include "io/frame_pool.hpp"
#include "io/loop.hpp"
#include "io/scope.hpp"
#include "io/stream.hpp"

#include <gtest/gtest.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <utility>

namespace sallyport::io::testing {

/// A loop whose clock jumps to the next deadline when nothing else is left to do. Ends with no frame left over.
class VirtualLoop {
public:
    explicit VirtualLoop(const SystemCalls& calls = real_system_calls)
        : frames_before_(FramePool::live()), loop_(*Loop::create({.virtual_time = true, .system_calls = &calls})) {}
    ~VirtualLoop() {
        loop_.reset();
        EXPECT_EQ(FramePool::live(), frames_before_) << "a coroutine or descriptor was left behind";
    }
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
    std::size_t frames_before_;
    std::unique_ptr<Loop> loop_;
};

/// Two ends of one connection.
inline std::pair<Fd, Fd> socket_pair() {
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0) throw std::runtime_error("socketpair");
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
