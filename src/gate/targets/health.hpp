// Looks after targets while nobody asks: tries those that have a health check, and those that traffic found failing,
// so that they come back without a user's request being the trial.
#pragma once

#include "gate/gate.hpp"
#include "gate/targets/state.hpp"
#include "io/scope.hpp"
#include "net/names.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sallyport::gate {

/// A target stands otherwise than before.
struct TargetEvent {
    std::string service;
    std::string target;
    Condition condition = Condition::up;
    telemetry::Reason why = telemetry::Reason::ok;
    std::string detail;
};

/// Belongs to the control loop.
class Health {
public:
    struct Options {
        std::function<std::shared_ptr<const net::NameTable>()> names;
        std::function<void(const TargetEvent&)> event;  // must not call watch()
    };

    static constexpr std::chrono::milliseconds looked_at_every{250};
    static constexpr std::chrono::seconds retried_after{1};  // a failing target without a check of its own
    static constexpr std::chrono::seconds retried_at_most_after{5};
    static constexpr unsigned failures_to_go_down = 2;
    static constexpr unsigned answers_to_come_up = 2;
    static constexpr std::chrono::seconds steady_after{60};  // up for so long, a target's failures are forgotten
    static constexpr std::chrono::seconds longest_hold{60};  // a target that flaps
    static constexpr std::size_t most_tries_at_once = 64;

    Health(io::Loop& loop, Options options);
    Health(const Health&) = delete;
    Health& operator=(const Health&) = delete;

    /// The targets to look after from now on. Its TLS contexts are used on this loop.
    void watch(SnapshotHandle snapshot);
    /// Ends the trying. Awaited before destruction.
    io::Task<void> close();

private:
    struct Watch {
        std::shared_ptr<TargetState> state;
        const Service* service = nullptr;
        std::size_t target = 0;
        SteadyTime due;            // the next try
        SteadyTime up_since;
        Condition told = Condition::up;
        unsigned good = 0, bad = 0;  // tries in a row
        unsigned relapses = 0;
        bool trying = false;
        bool current = true;  // false: a new configuration has put another in its place
        std::string detail;
    };
    using Handle = std::shared_ptr<Watch>;

    io::Task<void> look_after();
    void look_at_all();
    bool look_at(const Handle& watch);
    void tell_change(Watch& watch);
    io::Task<void> try_target(Handle watch, SnapshotHandle snapshot);
    void take_result(Watch& watch, telemetry::Reason result);

    io::Loop& loop_;
    Options options_;
    SnapshotHandle snapshot_;
    std::vector<Handle> watches_;
    std::size_t first_ = 0;  // of them: where a look begins
    std::size_t tries_ = 0;
    io::Scope scope_;
};

/// One try of a target, as its health check says; without one, every port is tried as traffic would.
/// @return ok, or why it is no use; `detail` says more
io::Task<telemetry::Reason> try_once(io::Loop& loop, io::Cancellation& cancellation, const LoopSnapshot& snapshot,
                                     const Service& service, std::size_t target, const net::NameTable* names,
                                     std::string& detail);

}  // namespace sallyport::gate
