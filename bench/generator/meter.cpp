#include "generator/meter.hpp"

#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>

namespace sallyport::bench {

namespace {

double own_cpu() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

}  // namespace

double Meter::relay_cpu() const {
    double nanoseconds = 0;
    for (const pid_t pid : watched_) {
        std::error_code gone;
        const std::filesystem::path tasks = "/proc/" + std::to_string(pid) + "/task";
        for (const auto& task : std::filesystem::directory_iterator(tasks, gone)) {
            double run = 0;  // first field of schedstat: time spent on a CPU, in nanoseconds
            if (std::ifstream(task.path() / "schedstat") >> run) nanoseconds += run;
        }
    }
    return nanoseconds * 1e-9;
}

double Meter::relay_cpu_at_rest() const {
    constexpr auto quiet_for = std::chrono::milliseconds{10};
    constexpr auto at_most = std::chrono::milliseconds{300};
    const auto give_up = std::chrono::steady_clock::now() + at_most;
    double last = relay_cpu();
    auto since = std::chrono::steady_clock::now();
    while (true) {
        loop_.turn(std::chrono::milliseconds{2});
        const double now_used = relay_cpu();
        const auto now = std::chrono::steady_clock::now();
        if (now_used != last) since = now;
        last = now_used;
        if (now - since >= quiet_for || now >= give_up) return last;
    }
}

void Meter::start() {
    relay_at_start_ = relay_cpu_at_rest();
    own_at_start_ = own_cpu();
    started_ = std::chrono::steady_clock::now();
}

void Meter::stop_giving_work() {
    cost_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
    cost_.own_cpu = own_cpu() - own_at_start_;
}

Cost Meter::finish() {
    cost_.relay_cpu = relay_cpu_at_rest() - relay_at_start_;
    return cost_;
}

}  // namespace sallyport::bench
