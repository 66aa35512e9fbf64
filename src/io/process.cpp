#include "io/process.hpp"

#include "base/bytes.hpp"
#include "io/fd.hpp"
#include "io/wait_any.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

namespace sallyport::io {

namespace {

constexpr std::size_t most_a_pipe_holds =
    std::size_t{1024} * 1024;  // bytes: /proc/sys/fs/pipe-max-size as the kernel sets it

struct Started {
    pid_t pid = 0;
    Fd exited;  // a pidfd: readable once the program has ended
    Fd out;
    Fd err;
};

// A file in memory rather than a pipe: the program may take its input in any order, or not at all, and nobody waits.
Result<Fd> as_input(const std::string& text) {
    Fd fd(memfd_create("input", MFD_CLOEXEC));
    for (std::size_t done = 0; fd && done < text.size();) {
        const ssize_t count = ::write(fd.get(), text.data() + done, text.size() - done);
        if (count >= 0)
            done += static_cast<std::size_t>(count);
        else if (errno != EINTR)
            fd.reset();
    }
    if (!fd || ::lseek(fd.get(), 0, SEEK_SET) != 0)
        return fail(std::string("no room for its input: ") + std::strerror(errno));
    return fd;
}

struct Pipe {
    Fd read_end;
    Fd write_end;
};

Result<Pipe> make_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return fail(std::string("no pipe for its output: ") + std::strerror(errno));
    Pipe pipe{Fd(ends[0]), Fd(ends[1])};
    ::fcntl(pipe.read_end.get(), F_SETFL, O_NONBLOCK);  // of our end alone
    return pipe;
}

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (const auto& text : texts) out.push_back(const_cast<char*>(text.c_str()));  // posix_spawn changes nothing
    out.push_back(nullptr);
    return out;
}

// What posix_spawn is told to do in the child; the calls that fill it fail only for want of memory.
class Plan {
public:
    Plan(int in, int out, int err) {
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
        posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
        posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
        posix_spawn_file_actions_addclosefrom_np(&actions,
                                                 STDERR_FILENO + 1);  // whatever a library left without CLOEXEC
        posix_spawnattr_init(&attributes);
        sigset_t set;
        sigemptyset(&set);
        posix_spawnattr_setsigmask(&attributes, &set);  // ours are blocked for signalfd
        sigfillset(&set);
        posix_spawnattr_setsigdefault(&attributes, &set);
        posix_spawnattr_setpgroup(&attributes, 0);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    }
    ~Plan() {
        posix_spawn_file_actions_destroy(&actions);
        posix_spawnattr_destroy(&attributes);
    }
    Plan(const Plan&) = delete;
    Plan& operator=(const Plan&) = delete;

    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
};

// The three descriptors of the child must not be among those they are copied onto: one copy would undo another.
Fd above_standard(Fd fd) {
    if (fd.get() > STDERR_FILENO) return fd;
    return Fd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
}

Result<Started> start(const ProcessOptions& options) {
    if (options.arguments.empty()) return fail("no program is named");
    const std::string where = "can't run " + options.arguments.front() + ": ";
    auto input = as_input(options.input);
    auto out = make_pipe();
    auto err = make_pipe();
    if (!input) return fail(where + input.error().message);
    if (!out || !err) return fail(where + (out ? err : out).error().message);
    const Fd child_in = above_standard(std::move(*input));
    const Fd child_out = above_standard(std::move(out->write_end));
    const Fd child_err = above_standard(std::move(err->write_end));
    if (!child_in || !child_out || !child_err) return fail(where + std::strerror(errno));
    const Plan plan(child_in.get(), child_out.get(), child_err.get());
    const auto arguments = pointers_to(options.arguments);
    const auto environment = options.environment ? pointers_to(*options.environment) : std::vector<char*>();
    Started started{.pid = 0, .exited = {}, .out = std::move(out->read_end), .err = std::move(err->read_end)};
    const int error = posix_spawnp(&started.pid, arguments[0], &plan.actions, &plan.attributes, arguments.data(),
                                   options.environment ? environment.data() : environ);
    if (error != 0) return fail(where + std::strerror(error));
    started.exited = Fd(static_cast<int>(::syscall(SYS_pidfd_open, started.pid, 0)));
    if (started.exited) return started;
    const std::string reason = std::strerror(errno);
    ::kill(-started.pid, SIGKILL);
    ::waitpid(started.pid, nullptr, 0);
    return fail(where + reason);
}

// A descriptor in the loop for as long as this lives.
class Guarded {
public:
    Guarded(Loop& loop, Fd fd, Cancellation& cancellation)
        : fd_(std::move(fd)), watched_(loop.watch(fd_.get(), cancellation, false)) {}
    ~Guarded() {
        if (watched_ != nullptr) watched_->loop->unwatch(watched_);
    }
    Guarded(const Guarded&) = delete;
    Guarded& operator=(const Guarded&) = delete;

    explicit operator bool() const { return watched_ != nullptr; }
    Watched* watched() const { return watched_; }
    int fd() const { return fd_.get(); }

private:
    Fd fd_;
    Watched* watched_;
};

// One output of the program, read as far as the limit and dropped beyond it.
class Capture {
public:
    Capture(const Guarded& pipe, std::size_t limit) : pipe_(pipe), limit_(limit) {}

    /// One read, so that a program that talks without end leaves the loop its turns. False: nothing is there now.
    bool read_some(MutableBytes room) {
        if (ended_) return false;
        const ssize_t count = ::read(pipe_.fd(), room.data(), room.size());
        if (count > 0) {
            keep(as_text(Bytes(room).first(static_cast<std::size_t>(count))));
            return true;
        }
        pipe_.watched()->readable = false;
        ended_ = count == 0;
        return count < 0 && errno == EINTR;
    }
    bool ended() const { return ended_; }
    const Guarded& pipe() const { return pipe_; }
    ProcessResult::Output take() { return std::move(output_); }

private:
    void keep(std::string_view text) {
        const std::size_t taken = std::min(text.size(), limit_ - output_.text.size());
        output_.text += text.substr(0, taken);
        output_.cut = output_.cut || taken < text.size();
    }

    const Guarded& pipe_;
    std::size_t limit_;
    ProcessResult::Output output_;
    bool ended_ = false;
};

// Wakes the run when its caller is cancelled. The run's own awaits don't end by it: the program must be waited for.
struct StopRequest final : Cancellable {
    Watched& exited;
    bool made;

    StopRequest(Watched& wake, Cancellation& by) : exited(wake), made(by.requested()) { by.bind(*this); }
    void on_cancel() override {
        made = true;
        if (exited.reader != nullptr) exited.loop->wake(*exited.reader, Wait::ready);
    }
};

// From running to SIGTERM to SIGKILL.
class Ending {
public:
    Ending(pid_t group, Deadline deadline, Duration grace) : group_(group), next_(deadline), grace_(grace) {}

    Deadline next() const { return next_; }
    std::optional<ProcessEnd> reason() const { return reason_; }

    void ask(Loop& loop, ProcessEnd why) {
        if (reason_) return;
        reason_ = why;
        next_ = loop.in(grace_);
        ::kill(-group_, SIGTERM);
    }
    void deadline_passed(Loop& loop) {
        if (!reason_) return ask(loop, ProcessEnd::timed_out);
        next_ = Deadline::none;
        ::kill(-group_, SIGKILL);
    }

private:
    pid_t group_;
    Deadline next_;
    Duration grace_;
    std::optional<ProcessEnd> reason_;
};

ProcessResult result_of(const Guarded& exited, std::optional<ProcessEnd> ended_by_us) {
    siginfo_t info{};
    ::waitid(P_PIDFD, static_cast<id_t>(exited.fd()), &info, WEXITED);
    ProcessResult result;
    if (info.si_code == CLD_EXITED) {
        result.exit_status = info.si_status;
    } else {
        result.end = ProcessEnd::signaled;
        result.exit_status = -1;
        result.signal = info.si_status;
    }
    if (ended_by_us) result.end = *ended_by_us;
    return result;
}

Task<ProcessResult> await_end(Loop& loop, Cancellation& cancellation, const Guarded& exited, pid_t pid, Capture& out,
                              Capture& err, const ProcessOptions& options) {
    StopRequest stop(*exited.watched(), cancellation);
    Ending ending(pid, options.deadline, options.grace);
    const auto edge = [&exited](const Capture& capture) -> WaitAny<3>::Edge {
        return {capture.ended() ? exited.watched() : capture.pipe().watched(), Interest::read};
    };
    while (!exited.watched()->readable) {
        if (stop.made) ending.ask(loop, ProcessEnd::cancelled);
        const bool more_out = out.read_some(loop.buffer());
        const bool more_err = err.read_some(loop.buffer());
        if (more_out || more_err) {
            co_await Yield{loop};
            if (loop.now() >= ending.next().when()) ending.deadline_passed(loop);
            continue;
        }
        const Wait waited =
            co_await WaitAny<3>(ending.next(), {{{exited.watched(), Interest::read}, edge(out), edge(err)}});
        if (waited == Wait::timeout) ending.deadline_passed(loop);
    }
    // What it wrote before its end is in the pipes. Their end may never come: what it left behind holds them open.
    for (std::size_t held = 0; held < most_a_pipe_holds; held += Loop::buffer_size) {
        out.read_some(loop.buffer());
        err.read_some(loop.buffer());
    }
    co_return result_of(exited, ending.reason());
}

}  // namespace

Task<Result<ProcessResult>> run_process(Loop& loop, Cancellation& cancellation, ProcessOptions options) {
    auto started = start(options);
    if (!started) co_return std::unexpected(started.error());
    Cancellation none;
    const Guarded exited(loop, std::move(started->exited), none);
    const Guarded out_pipe(loop, std::move(started->out), none);
    const Guarded err_pipe(loop, std::move(started->err), none);
    if (!exited || !out_pipe || !err_pipe) {
        const std::string reason = std::strerror(errno);
        ::kill(-started->pid, SIGKILL);
        ::waitpid(started->pid, nullptr, 0);
        co_return fail("can't watch " + options.arguments.front() + ": " + reason);
    }
    Capture out(out_pipe, options.output_limit);
    Capture err(err_pipe, options.output_limit);
    ProcessResult result = co_await await_end(loop, cancellation, exited, started->pid, out, err, options);
    result.out = out.take();
    result.err = err.take();
    co_return result;
}

}  // namespace sallyport::io
