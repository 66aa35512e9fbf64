#include "telemetry/log_waker.hpp"

#include <poll.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace sallyport::telemetry {

LogWaker::LogWaker() : event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (!event_) throw std::system_error(errno, std::generic_category(), "eventfd for the log");
}

void LogWaker::wake() {
    const std::uint64_t one = 1;
    // It fails where the counter is full, and then the thread is as good as woken.
    [[maybe_unused]] const auto written = ::write(event_.get(), &one, sizeof one);
}

void LogWaker::wait(std::optional<std::chrono::milliseconds> most) {
    pollfd waited{.fd = event_.get(), .events = POLLIN, .revents = 0};
    ::poll(&waited, 1, most ? static_cast<int>(most->count()) : -1);
    std::uint64_t count = 0;
    [[maybe_unused]] const auto read = ::read(event_.get(), &count, sizeof count);  // none after the time has passed
}

}  // namespace sallyport::telemetry
