#include "io/signals.hpp"

#include <sys/signalfd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>

namespace sallyport::io {

Result<Fd> block_signals(std::span<const int> signals) {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : signals) {
        if (sigaddset(&set, signal) != 0) return fail("there is no signal " + std::to_string(signal));
    }
    Fd fd(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
    if (!fd) return fail(std::string("signals can't be read: ") + std::strerror(errno));
    if (const int error = pthread_sigmask(SIG_BLOCK, &set, nullptr); error != 0) {
        return fail(std::string("signals can't be blocked: ") + std::strerror(error));
    }
    return fd;
}

Result<SignalReader> SignalReader::adopt(Loop& loop, Fd fd, Cancellation& cancellation) {
    Watched* watched = loop.watch(fd.get(), cancellation, false);
    if (watched == nullptr) return fail(std::string("signals can't be watched by epoll: ") + std::strerror(errno));
    watched->readable = true;  // signals may wait already
    fd.release();
    return SignalReader(watched);
}

SignalReader::~SignalReader() {
    if (watched_ == nullptr) return;
    const int fd = watched_->fd;
    watched_->loop->unwatch(watched_);
    ::close(fd);
}

std::optional<int> SignalReader::take() {
    signalfd_siginfo info{};
    ssize_t count = 0;
    do { count = ::read(watched_->fd, &info, sizeof info); } while (count < 0 && errno == EINTR);
    if (count == static_cast<ssize_t>(sizeof info)) return static_cast<int>(info.ssi_signo);
    watched_->readable = false;
    return std::nullopt;
}

Task<std::expected<int, Wait>> SignalReader::next(Deadline deadline) {
    for (;;) {
        const Wait waited = co_await WaitAny<1>(deadline, {{{watched_, Interest::read}}});
        if (waited != Wait::ready) co_return std::unexpected(waited);
        if (const auto signal = take()) co_return *signal;
    }
}

}  // namespace sallyport::io
