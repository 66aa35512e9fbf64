#include "telemetry/sink.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <system_error>

namespace sallyport::telemetry {

namespace {

constexpr int poll_interval = 100;    // milliseconds between looks at `stop` while a reader takes nothing
constexpr int intervals_to_stop = 10;  // so many of them are waited once `stop` was requested

std::string error_text(int error) { return std::generic_category().message(error); }

std::uint64_t lines_in(std::string_view text) { return static_cast<std::uint64_t>(std::ranges::count(text, '\n')); }

bool is_regular_file(int fd) {
    struct stat status{};
    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

// False when the reader takes nothing and the log is to stop.
bool wait_until_writable(int fd, const std::stop_token& stop) {
    for (int waited_to_stop = 0; waited_to_stop < intervals_to_stop;) {
        pollfd entry{.fd = fd, .events = POLLOUT, .revents = 0};
        if (poll(&entry, 1, poll_interval) > 0) return true;
        if (stop.stop_requested()) ++waited_to_stop;
    }
    return false;
}

// A pipe that polls writable takes PIPE_BUF bytes without blocking (pipe(7)); a file takes anything.
std::uint64_t write_all(int fd, std::string_view lines, const std::stop_token& stop) {
    const std::size_t most = is_regular_file(fd) ? lines.size() : std::size_t{PIPE_BUF};
    while (!lines.empty()) {
        if (!wait_until_writable(fd, stop)) return lines_in(lines);
        const ssize_t written = ::write(fd, lines.data(), std::min(lines.size(), most));
        if (written < 0 && errno != EINTR && errno != EAGAIN) return lines_in(lines);
        if (written > 0) lines.remove_prefix(static_cast<std::size_t>(written));
    }
    return 0;
}

class DescriptorSink : public Sink {
public:
    explicit DescriptorSink(int fd) : fd_(fd) {}
    std::uint64_t write(std::string_view lines, const std::stop_token& stop) override {
        return write_all(fd_, lines, stop);
    }
    bool is_terminal() const override { return isatty(fd_) == 1; }

protected:
    int fd_;
};

Result<int> open_log_file(const std::string& path) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
    if (fd < 0) return fail("cannot open the log file " + path + ": " + error_text(errno));
    return fd;
}

class FileSink final : public DescriptorSink {
public:
    FileSink(std::string path, int fd) : DescriptorSink(fd), path_(std::move(path)) {}
    ~FileSink() override { ::close(fd_); }
    FileSink(const FileSink&) = delete;
    FileSink& operator=(const FileSink&) = delete;

    Result<void> reopen() override {
        const auto fd = open_log_file(path_);
        if (!fd) return fail(fd.error());
        ::close(fd_);
        fd_ = *fd;
        return {};
    }

private:
    std::string path_;
};

// Through the system's logger. Its priority is one for all: the line itself carries verdict and level.
class SyslogSink final : public Sink {
public:
    SyslogSink() { openlog("sallyport", LOG_PID, LOG_DAEMON); }
    ~SyslogSink() override { closelog(); }
    SyslogSink(const SyslogSink&) = delete;
    SyslogSink& operator=(const SyslogSink&) = delete;

    std::uint64_t write(std::string_view lines, const std::stop_token&) override {
        while (!lines.empty()) {
            const std::size_t length = std::min(lines.find('\n'), lines.size() - 1);
            syslog(LOG_INFO, "%.*s", static_cast<int>(length), lines.data());
            lines.remove_prefix(length + 1);
        }
        return 0;
    }
};

}  // namespace

Result<std::unique_ptr<Sink>> open_sink(const std::string& destination) {
    if (destination == "stdout") return descriptor_sink(STDOUT_FILENO);
    if (destination == "syslog") return std::make_unique<SyslogSink>();
    const auto fd = open_log_file(destination);
    if (!fd) return fail(fd.error());
    return std::make_unique<FileSink>(destination, *fd);
}

std::unique_ptr<Sink> descriptor_sink(int fd) { return std::make_unique<DescriptorSink>(fd); }

}  // namespace sallyport::telemetry
