#include "firewall/keeper.hpp"

#include "base/text.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <sstream>

namespace sallyport::firewall {

namespace {

using namespace std::chrono_literals;

constexpr unsigned tries_to_restore = 10;
constexpr std::string_view version = "sallyport firewall 1";

// The clock that goes on while a laptop sleeps: who is locked out waits by the clock on the wall.
Duration since_boot() {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

bool still_pending(const StateDir& state, const std::string& mine) {
    const auto text = state.read(file::pending);
    return text && *text && **text == mine;
}

// Waits until the time is over, or the change is no longer ours to undo.
bool outlasts(const StateDir& state, const std::string& mine, Duration after, int watch) {
    const Duration end = since_boot() + after;
    for (;;) {
        if (!still_pending(state, mine)) return false;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - since_boot()).count();
        if (left <= 0) return true;
        pollfd changed{.fd = watch, .events = POLLIN, .revents = 0};
        ::poll(&changed, 1, static_cast<int>(std::min<std::int64_t>(left, 1000)));
        std::array<char, 4096> events{};
        while (::read(watch, events.data(), events.size()) > 0) {}
    }
}

// A confirmation takes `wanted` away before it ends the change: it was confirmed, and cut short there.
bool was_confirmed(const StateDir& state) {
    const auto wanted = state.read(file::wanted);
    return wanted && !*wanted;
}

void keep(const StateDir& state, const std::string& mine, Duration after, int watch) {
    if (!outlasts(state, mine, after, watch)) return;
    const auto held = state.lock(file::lock);
    if (!held || !still_pending(state, mine)) return;
    if (was_confirmed(state)) return state.remove(file::pending);
    ::openlog("sallyport", LOG_PID, LOG_DAEMON);
    for (unsigned i = 0; i < tries_to_restore; ++i) {
        const auto restored = restore_snapshot(state);
        if (restored) {
            ::syslog(LOG_WARNING, "firewall: the change was not confirmed; what was there before is back");
            return;
        }
        ::syslog(LOG_ERR, "firewall: the change was not confirmed and can't be undone: %s",
                 restored.error().message.c_str());
        ::sleep(1);
    }
}

void leave_the_terminal() {
    ::setsid();
    std::signal(SIGHUP, SIG_IGN);
    std::signal(SIGINT, SIG_IGN);
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGTERM, SIG_IGN);  // the end of a session sends it, and this is just when the keeper is needed
    const int nowhere = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (nowhere >= 0) ::dup2(nowhere, standard);
    }
    ::prctl(PR_SET_NAME, "sp-fw-keeper");
    if (::chdir("/") != 0) ::syslog(LOG_WARNING, "firewall: the keeper stays in its folder");
}

}  // namespace

std::string Pending::to_text() const {
    return std::string(version) + "\nuntil " + until + "\nsession " + session + "\nby " + std::to_string(::getpid()) +
           '\n';
}

std::optional<Pending> Pending::parse(std::string_view text) {
    std::istringstream lines{std::string(text)};
    std::string line;
    if (!std::getline(lines, line) || line != version) return std::nullopt;
    Pending out;
    while (std::getline(lines, line)) {
        const auto space = line.find(' ');
        const auto key = line.substr(0, space);
        const std::string value(trim(std::string_view(line).substr(std::min(line.size(), key.size()))));
        if (key == "until") out.until = value;
        if (key == "session") out.session = value;
    }
    return out;
}

Result<void> start_keeper(const StateDir& state, io::Fd alive, const io::Fd& held, Duration after) {
    const auto mine = state.read(file::pending);
    if (!mine || !*mine) return fail("there is no change to keep");
    std::array<int, 2> ready{};
    if (::pipe2(ready.data(), O_CLOEXEC) != 0) return fail("no pipe for the keeper of the old rules");
    const io::Fd ours(ready[0]);
    io::Fd theirs(ready[1]);
    const pid_t child = ::fork();
    if (child < 0) return fail("can't start the keeper of the old rules");
    if (child == 0) {
        if (::fork() != 0) ::_exit(0);  // so that it is nobody's child here
        ::close(held.get());
        leave_the_terminal();
        const int watch = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        ::inotify_add_watch(watch, state.path().c_str(), IN_DELETE | IN_MOVED_TO);
        if (::write(theirs.get(), "w", 1) == 1) keep(state, **mine, after, watch);
        ::_exit(0);
    }
    theirs.reset();
    alive.reset();  // the keeper's copy holds the lock from here on
    ::waitpid(child, nullptr, 0);
    char watching = 0;
    while (::read(ours.get(), &watching, 1) < 0 && errno == EINTR) {}
    if (watching != 'w') return fail("the keeper of the old rules did not come up");
    return {};
}

KernelResult<void> restore_snapshot(const StateDir& state) {
    const auto snapshot = state.read(file::snapshot);
    if (!snapshot) return fail(KernelError{.message = snapshot.error().message});
    if (!*snapshot) return fail(KernelError{.message = "there is no snapshot in " + state.path().string()});
    if (auto loaded = load(**snapshot); !loaded) return loaded;
    state.remove(file::pending);
    return {};
}

KernelResult<bool> recover(const StateDir& state) {
    const auto pending = state.read(file::pending);
    if (!pending) return fail(KernelError{.message = pending.error().message});
    if (!*pending) return false;
    const auto alive = state.try_lock(file::keeper);
    if (!alive) return fail(KernelError{.message = alive.error().message});
    if (!*alive) return false;  // its keeper lives and sees to it
    if (was_confirmed(state)) {
        state.remove(file::pending);
        return true;
    }
    if (auto restored = restore_snapshot(state); !restored) return fail(restored.error());
    return true;
}

}  // namespace sallyport::firewall
