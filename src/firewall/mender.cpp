#include "firewall/mender.hpp"

#include "firewall/apply.hpp"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

namespace sallyport::firewall {

namespace {

constexpr std::size_t longest_answer = 1024;  // bytes

std::string mend(const std::filesystem::path& state_dir) {
    const auto state = StateDir::open(state_dir);
    if (!state) return state.error().message;
    const auto booted = boot(*state);
    if (!booted) return booted.error().message;
    if (!booted->refused.empty()) return booted->refused + "; those that were confirmed before are loaded";
    return booted->loaded || booted->recovered ? "" : "there are no confirmed rules to put back, or they are loaded";
}

// Holds nothing of the gateway's but the line to it, least of all its listening sockets.
[[noreturn]] void serve(const std::filesystem::path& state_dir, int line) {
    for (const int signal : {SIGHUP, SIGINT, SIGTERM}) std::signal(signal, SIG_IGN);  // it ends with the line
    ::prctl(PR_SET_NAME, "sp-fw-mender");
    constexpr int ours = STDERR_FILENO + 1;
    if (::dup2(line, ours) != ours || ::close_range(ours + 1, ~0U, 0) != 0) ::_exit(1);
    char asked = 0;
    for (;;) {
        const ssize_t got = ::recv(ours, &asked, 1, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) ::_exit(0);
        std::string answer = mend(state_dir);
        answer.resize(std::min(answer.size(), longest_answer));
        answer += '\n';  // an empty message would be the end
        if (::send(ours, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) ::_exit(0);
    }
}

}  // namespace

Result<Mender> Mender::start(const std::filesystem::path& state_dir) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
        return fail("no line to a process that would put the firewall back");
    io::Fd ours(ends[0]);
    const io::Fd theirs(ends[1]);
    const pid_t child = ::fork();
    if (child < 0) return fail("can't start the process that would put the firewall back");
    if (child == 0) {
        if (::fork() != 0) ::_exit(0);  // so that it is nobody's child here
        serve(state_dir, theirs.get());
    }
    ::waitpid(child, nullptr, 0);
    return Mender(std::move(ours));
}

void Mender::ask() { ::send(fd(), "m", 1, MSG_DONTWAIT | MSG_NOSIGNAL); }

std::optional<std::string> Mender::answer() {
    std::array<char, longest_answer + 1> text{};
    const ssize_t got = ::recv(fd(), text.data(), text.size(), MSG_DONTWAIT);
    if (got == 0) return std::string(gone);
    if (got < 0) return std::nullopt;
    return std::string(text.data(), static_cast<std::size_t>(got) - 1);
}

}  // namespace sallyport::firewall
