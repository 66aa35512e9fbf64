#include "firewall/experiment.hpp"

#include "firewall/programs.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>
#include <utility>

extern char** environ;

namespace sallyport::firewall {

namespace {

const std::string name = "sallyport_try";
const std::string table = "inet " + name;
constexpr unsigned looks = 100;  // for the table to come up, a few milliseconds apart
constexpr int between_looks_ms = 20;

pid_t start_holder(std::string program, int input) {
    posix_spawn_file_actions_t files{};
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);  // prompts
    posix_spawnattr_t attributes{};
    posix_spawnattr_init(&attributes);
    sigset_t none{};
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0);  // Ctrl-C is for us; the holder ends with its input
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    std::string interactive = "-i";
    std::array<char*, 3> arguments{program.data(), interactive.data(), nullptr};
    pid_t holder = 0;
    const int error = posix_spawn(&holder, program.c_str(), &files, &attributes, arguments.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return error == 0 ? holder : -1;
}

std::string match_of(std::uint16_t port) { return "tcp dport " + std::to_string(port) + " reject with tcp reset"; }

std::string listed() {
    const auto ran = run_nft({"list", "table", "inet", name});
    return ran && ran->ok() ? ran->out : "";
}

bool comes_up(std::uint16_t port) {
    for (unsigned i = 0; i < looks; ++i) {
        if (listed().contains(match_of(port))) return true;
        ::poll(nullptr, 0, between_looks_ms);
    }
    return false;
}

}  // namespace

Result<Experiment> Experiment::begin(std::uint16_t port) {
    auto nft = find_nft();
    if (!nft) return fail(nft.error().message);
    if (!listed().empty()) return fail("another experiment goes on: one at a time, and it ends with its process");
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return fail("no pipe for the experiment");
    const io::Fd theirs(pipe[0]);
    io::Fd ours(pipe[1]);
    const pid_t holder = start_holder(std::move(*nft), theirs.get());
    if (holder < 0) return fail("can't start nft");
    Experiment experiment(holder, std::move(ours));
    const std::string rules = "add table " + table + " { flags owner; }; add chain " + table +
                              " input { type filter hook input priority -310; policy accept; }; add rule " + table +
                              " input " + match_of(port) + '\n';
    const bool said =
        ::write(experiment.input_.get(), rules.data(), rules.size()) == static_cast<ssize_t>(rules.size());
    if (!said || !comes_up(port)) return fail("the kernel does not take the rule: this needs root's rights");
    return experiment;
}

Experiment::Experiment(Experiment&& other) noexcept
    : holder_(std::exchange(other.holder_, -1)), input_(std::move(other.input_)) {}

Experiment::~Experiment() {
    if (holder_ < 0) return;
    input_.reset();
    ::waitpid(holder_, nullptr, 0);
}

}  // namespace sallyport::firewall
