// For tests of this room: snapshots from a line of configuration, targets that do as they are told, and a gate without
// a program around it.
#pragma once

#include "config/load.hpp"
#include "gate/gate.hpp"
#include "gate/targets/state.hpp"
#include "io/testing.hpp"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport::gate::testing {

/// What the loops hold after a reload with this file; every TLS leg goes by `tls`.
inline SnapshotHandle snapshot_of(StateBook& book, std::string_view text,
                                  std::shared_ptr<const io::TlsClient> tls = nullptr) {
    auto loaded = config::load_text("test.toml", text, {});
    for (const auto& error : loaded.errors) ADD_FAILURE() << to_text(error, "error");
    auto made = std::make_shared<LoopSnapshot>();
    made->routing = std::make_shared<const Snapshot>(std::move(*loaded.config), book);
    made->tls_clients.assign(made->routing->services().size(), tls);
    return made;
}

/// Targets in place of the network: says for each "address:port" what becomes of a connect(). One at a time, and only
/// on a loop with these `calls`.
class ScriptedTargets {
public:
    enum class Behavior : std::uint8_t { answers, refuses, silent, unreachable };
    struct Dialed {
        std::string address;
        SteadyTime when;
    };

    ScriptedTargets() { present = this; }
    ~ScriptedTargets() { present = nullptr; }
    ScriptedTargets(const ScriptedTargets&) = delete;
    ScriptedTargets& operator=(const ScriptedTargets&) = delete;

    static constexpr Behavior answers = Behavior::answers;
    static constexpr Behavior refuses = Behavior::refuses;
    static constexpr Behavior silent = Behavior::silent;
    static constexpr Behavior unreachable = Behavior::unreachable;

    static const io::SystemCalls& calls() {
        static constexpr io::SystemCalls scripted{.connect = connect};
        return scripted;
    }

    std::map<std::string, Behavior, std::less<>> behaves;  // the others answer
    std::function<Behavior()> chooses;                     // instead, each time anew
    const io::Loop* loop = nullptr;                        // whose time `dialed` is in
    std::vector<Dialed> dialed;                            // in order
    /// Gets the target's end of each connection; absent: it is closed.
    std::function<void(const std::string& address, io::Fd)> accepted;

    std::vector<std::string> addresses() const {
        std::vector<std::string> out;
        for (const Dialed& one : dialed) out.push_back(one.address);
        return out;
    }
    std::size_t count(std::string_view address) const {
        return static_cast<std::size_t>(
            std::ranges::count(dialed, address, [](const Dialed& one) { return std::string_view(one.address); }));
    }

private:
    static int connect(int fd, const sockaddr* to, socklen_t) {
        const std::string address = SocketAddress::from(*to).to_string();
        present->dialed.push_back({address, present->loop == nullptr ? SteadyTime{} : present->loop->now()});
        switch (present->behavior_of(address)) {
            case answers: present->answer(fd, address); break;
            case silent: never_writable(fd); break;
            case refuses: return fail_with(ECONNREFUSED);
            case unreachable: return fail_with(EHOSTUNREACH);
        }
        return fail_with(EINPROGRESS);
    }
    Behavior behavior_of(const std::string& address) const {
        if (chooses) return chooses();
        const auto found = behaves.find(address);
        return found == behaves.end() ? answers : found->second;
    }
    static int fail_with(int error) {
        errno = error;
        return -1;
    }
    // A full counter has no room for more: no edge comes, as from a host that drops what it gets.
    static void never_writable(int fd) {
        const io::Fd full(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
        const std::uint64_t most = ~std::uint64_t{0} - 1;
        EXPECT_EQ(::write(full.get(), &most, sizeof most), static_cast<ssize_t>(sizeof most));
        ::dup2(full.get(), fd);
    }
    void answer(int fd, const std::string& address) const {
        auto [near, far] = io::testing::socket_pair();
        ::dup2(near.get(), fd);
        if (accepted) accepted(address, std::move(far));
    }

    static inline ScriptedTargets* present = nullptr;  // a replaced system call has no place for a context
};

/// A gate on a loop of virtual time. Its targets are scripted.
struct TestGate {
    ScriptedTargets targets;
    io::testing::VirtualLoop loop{ScriptedTargets::calls()};
    telemetry::RecordSwitches switches;
    telemetry::Reporter reporter{switches, std::size_t{64} * 1024};
    telemetry::LoopCounters counters;
    GateShared shared{.node = "test", .capacity = 1000, .clients = {}, .files = nullptr};
    StateBook book;
    Gate gate{*loop, reporter, counters, shared, 0, 1000};
    listeners::ListenerHandle listener = std::make_shared<const listeners::Listener>();

    TestGate() { targets.loop = &*loop; }

    /// Runs `task`, then ends the gate as the program does.
    void run(io::Task<void> task) {
        loop.run([](TestGate& self, io::Task<void> what) -> io::Task<void> {
            co_await what;
            co_await self.gate.finish(self.loop->in(Duration{0}));
        }(*this, std::move(task)));
    }
    std::uint64_t ended(telemetry::Protocol protocol, telemetry::Verdict verdict, telemetry::Reason reason) const {
        return counters.numbers().of(protocol).ended[static_cast<std::size_t>(verdict)][index(reason)].value();
    }
};

}  // namespace sallyport::gate::testing
