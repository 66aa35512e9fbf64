// One data loop with all that lives on it, and its thread.
#pragma once

#include "dns/server.hpp"
#include "egress/lookup.hpp"
#include "gate/gate.hpp"
#include "io/loop.hpp"
#include "listeners/loop_listeners.hpp"
#include "push/server.hpp"
#include "telemetry/counters.hpp"
#include "telemetry/logger.hpp"
#include "turn/turn_loop.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace sallyport::cli {

class DataLoop {
public:
    /// @param number    of this loop, from 0
    /// @param capacity  connections at a time; past that, new ones wait in the kernel's queue.
    DataLoop(std::unique_ptr<io::Loop> loop, std::size_t number, std::size_t capacity);

    /// Before start(): what the gate needs once privileges are dropped.
    void open_gate(telemetry::Logger& logger, gate::GateShared& shared, gate::SnapshotHandle snapshot);
    struct TurnTls {
        std::shared_ptr<const io::TlsServer> tls;
        std::shared_ptr<io::DtlsServer> dtls;
    };
    /// After open_gate(): what TURN needs. UDP sockets that were added before are served from start() on.
    void open_turn(turn::Shared& shared, turn::SettingsHandle settings, TurnTls tls);
    void start();

    /// Takes no more connections, lets the present ones end within `patience`, and calls `done` on this loop's thread.
    void finish(Duration patience, std::function<void()> done);
    /// Ends the thread; after finish().
    void join();

    /// From now on the gate turns away whom these name. From the control loop, at any time after open_gate().
    void adopt(std::shared_ptr<const guard::Bans> bans);
    /// Does something with TURN on this loop's thread. At any time: before start() it waits for that.
    void with_turn(std::move_only_function<void(turn::TurnLoop&)> work);
    /// After open_turn(); but for its tally it belongs to this loop's thread.
    turn::TurnLoop& turn() { return *turn_; }

    /// Before start(), after open_gate(): from now on everything is dialed from what this answers for its client.
    void dial_from(egress::Lookup::Ask ask);
    /// What is known of these clients' source addresses is out of date; without any, of all. From the control loop.
    /// @param enabled  are there any to be given?
    void sources_changed(std::vector<IpAddress> clients, bool enabled);

    /// Before start(), after dial_from(): what push needs.
    void open_push(telemetry::Logger& logger, decltype(push::Server::Options::resolve) resolve);
    /// From the control loop: from now on push goes by this. Null: there is none.
    void adopt(std::shared_ptr<const push::Policy> policy);

    /// Before start(), after open_push(): what the name server needs. Names of couriers are answered by push.
    void open_dns(std::uint64_t seed, dns::LoopZones zones);
    /// Does something with the name server on this loop's thread. At any time: before start() it waits for that.
    void with_dns(std::move_only_function<void(dns::Server&)> work);
    /// From any thread, after open_dns().
    dns::ForwarderFacts dns_facts() const { return dns_->forwarder().facts(); }

    io::Loop& loop() { return *loop_; }
    gate::Gate& gate() { return *gate_; }
    push::Server& push() { return *push_; }
    listeners::LoopListeners& listeners() { return listeners_; }
    const telemetry::LoopCounters& counters() const { return counters_; }
    std::atomic<std::uint64_t> heartbeats{0};  // counted by posts to the loop: it turns

private:
    void deal(const listeners::ListenerHandle& listener, io::Accepted accepted);
    // On this loop's thread, unless all of this has ended by then.
    void while_it_lives(std::move_only_function<void()> work);

    std::unique_ptr<io::Loop> loop_;
    const std::size_t number_;
    const std::size_t capacity_;
    telemetry::LoopCounters counters_;
    telemetry::Logger* logger_ = nullptr;  // with the gate
    std::optional<egress::Lookup> sources_;
    std::optional<gate::Gate> gate_;
    std::optional<push::Server> push_;
    std::optional<turn::TurnLoop> turn_;
    std::optional<dns::Server> dns_;
    listeners::LoopListeners listeners_;
    io::Scope scope_;
    std::thread thread_;
    // Last, so that it goes first: what was posted to a loop that runs no more must not reach for its gate.
    std::shared_ptr<const bool> lives_ = std::make_shared<bool>(true);
};

}  // namespace sallyport::cli
