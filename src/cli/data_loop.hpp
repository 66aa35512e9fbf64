// One data loop with all that lives on it, and its thread.
#pragma once

#include "gate/gate.hpp"
#include "io/loop.hpp"
#include "listeners/loop_listeners.hpp"
#include "telemetry/counters.hpp"
#include "telemetry/logger.hpp"
#include "turn/turn_loop.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>

namespace sallyport::cli {

class DataLoop {
public:
    /// @param number    of this loop, from 0
    /// @param capacity  connections at a time; past that, new ones wait in the kernel's queue.
    DataLoop(std::unique_ptr<io::Loop> loop, std::size_t number, std::size_t capacity);

    /// Before start(): what the gate needs once privileges are dropped.
    void open_gate(telemetry::Logger& logger, gate::GateShared& shared, gate::SnapshotHandle snapshot);
    /// After open_gate(): what TURN needs. UDP sockets that were added before are served from start() on.
    void open_turn(turn::Shared& shared, turn::SettingsHandle settings, std::shared_ptr<const io::TlsServer> tls);
    void start();

    /// Takes no more connections, lets the present ones end within `patience`, and calls `done` on this loop's thread.
    void finish(Duration patience, std::function<void()> done);
    /// Ends the thread; after finish().
    void join();

    /// From now on the gate turns away whom these name. From the control loop, at any time after open_gate().
    void adopt(std::shared_ptr<const guard::Bans> bans);
    /// Does something with TURN on this loop's thread. At any time: before start() it waits for that.
    void with_turn(std::move_only_function<void(turn::TurnLoop&)> work);

    io::Loop& loop() { return *loop_; }
    gate::Gate& gate() { return *gate_; }
    listeners::LoopListeners& listeners() { return listeners_; }
    const telemetry::LoopCounters& counters() const { return counters_; }
    std::atomic<std::uint64_t> heartbeats{0};  // counted by posts to the loop: it turns

private:
    std::unique_ptr<io::Loop> loop_;
    const std::size_t number_;
    const std::size_t capacity_;
    telemetry::LoopCounters counters_;
    telemetry::Logger* logger_ = nullptr;  // with the gate
    std::optional<gate::Gate> gate_;
    std::optional<turn::TurnLoop> turn_;
    listeners::LoopListeners listeners_;
    io::Scope scope_;
    std::thread thread_;
    // Last, so that it goes first: what was posted to a loop that runs no more must not reach for its gate.
    std::shared_ptr<const bool> lives_ = std::make_shared<bool>(true);
};

}  // namespace sallyport::cli
