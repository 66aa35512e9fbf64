// The gate on one data loop: what it decides by at present, and the sessions that are open.
#pragma once

#include "egress/lookup.hpp"
#include "gate/dialect.hpp"
#include "gate/session.hpp"
#include "gate/snapshot.hpp"
#include "gate/targets/kept.hpp"
#include "guard/lookout.hpp"
#include "io/loop.hpp"
#include "io/scope.hpp"
#include "io/tls.hpp"
#include "listeners/client_counts.hpp"
#include "net/names.hpp"
#include "telemetry/counters.hpp"
#include "telemetry/logger.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sallyport::io {
class Worker;
}

namespace sallyport::gate {

struct HttpScratch;

/// A snapshot with what one loop needs beside it: OpenSSL contexts are never shared between loops.
struct LoopSnapshot {
    std::shared_ptr<const Snapshot> routing;
    std::shared_ptr<const io::TlsServer> tls_server;                // null: no certificate
    std::vector<std::shared_ptr<const io::TlsClient>> tls_clients;  // by Service::index; null: no TLS leg
};
using SnapshotHandle = std::shared_ptr<const LoopSnapshot>;

/// What all loops' gates have in common. All of it outlives them.
struct GateShared {
    std::string node;             // this node's name, for Via
    std::size_t capacity = 0;     // connections at a time, over all loops
    listeners::ClientCounts clients;
    io::Worker* files = nullptr;  // reads what stands on disk: a data loop never does
    std::function<void()> wake_guard = {};  // from any thread: a lookout was told something
};

class Gate {
public:
    static constexpr unsigned id_bits = 40;  // of a session's id, below its loop's number

    /// All of them outlive the gate.
    /// @param number  of this loop, from 0: the sessions' ids carry it
    /// @param capacity  connections at a time on this loop
    Gate(io::Loop& loop, telemetry::Reporter& reporter, telemetry::LoopCounters& counters, GateShared& shared,
         std::size_t number, std::size_t capacity);
    ~Gate();

    /// From now on decisions are made by this. Tunnels of services that are gone end after `drain_timeout`.
    void adopt(SnapshotHandle snapshot);
    void adopt(std::shared_ptr<const net::NameTable> names);
    /// From now on targets are dialed from what this gives each client. It outlives the gate.
    void dial_from(egress::Lookup& sources) { sources_ = &sources; }

    /// Who serves a client that speaks TURN on the port of many protocols, to the end of its connection. It lives as
    /// long as the gate's last session.
    using ServeTurn = std::function<io::Task<void>(Session& session, io::Stream& client)>;
    void hand_turn_to(ServeTurn serve) { serve_turn_ = std::move(serve); }
    io::Task<void> serve_turn(Session& session, io::Stream& client) { return serve_turn_(session, client); }

    /// Serves one connection, from its first byte to its last record.
    void take(const listeners::ListenerHandle& listener, io::Accepted accepted);
    /// May one connection more be taken? Target connections that wait for a request make room when it comes to that.
    /// @param beside  connections that others have on this loop
    bool has_room(std::size_t beside);

    /// Nothing new: idle sessions end at once, busy ones after their request.
    void drain();
    /// Drains, ends at the deadline what is left, and waits for it.
    io::Task<void> finish(io::Deadline patience);
    /// Makes a finish() that is under way end everything now.
    void hurry() { hurried_ = true; }

    template <class F>
    void for_each_session(F&& f) {
        sessions_.for_each(std::forward<F>(f));
    }

    io::Loop& loop() { return loop_; }
    const SnapshotHandle& snapshot() const { return snapshot_; }
    /// The number of the snapshot, another for each: what was decided by one may be remembered with it.
    std::uint64_t snapshot_number() const { return snapshot_number_; }
    const std::shared_ptr<const net::NameTable>& names() const { return names_; }
    GateShared& shared() { return shared_; }
    const std::string& node() const { return shared_.node; }
    bool draining() const { return draining_; }
    telemetry::LoopCounters& counters() { return counters_; }
    HttpScratch& http_scratch() { return *http_scratch_; }
    KeptConnections& kept() { return kept_; }
    /// Null: nobody has a source address of their own.
    egress::Lookup* sources() { return sources_ != nullptr && sources_->enabled() ? sources_ : nullptr; }
    guard::Lookout& guard() { return guard_; }
    /// Tells the guard of one thing that a client did.
    /// @param credential  guard::credential_hash of what was wrong; 0: can't be told from others
    void suspect(const Session& session, guard::Sign sign, std::uint64_t credential = 0);
    /// Counts the questions for a target of this service (round robin).
    std::uint32_t next_turn(const Service& service) { return turns_[service.index]++; }
    /// How many connections one client may hold.
    std::uint32_t most_of_client() const;

    /// There is a tunnel now: tunnels are looked after while there are any.
    void has_tunnel();

    /// The end of a story: counted always, logged as the log is set. A refusal may count against its client.
    void report(const telemetry::Record& record);

private:
    friend struct Session;

    static constexpr std::chrono::seconds tunnels_looked_after_every{10};

    void turn_away(const listeners::Listener& listener, io::Accepted accepted);
    io::Task<void> end_removed_tunnels(Duration patience);
    io::Task<void> look_after_tunnels();

    io::Loop& loop_;
    telemetry::Reporter& reporter_;
    telemetry::LoopCounters& counters_;
    GateShared& shared_;
    const std::size_t capacity_;
    std::uint64_t last_id_;
    SnapshotHandle snapshot_;
    std::uint64_t snapshot_number_ = 0;
    std::shared_ptr<const net::NameTable> names_;
    std::vector<std::uint32_t> turns_;  // by Service::index
    std::unique_ptr<HttpScratch> http_scratch_;
    KeptConnections kept_;
    guard::Lookout guard_;
    egress::Lookup* sources_ = nullptr;
    ServeTurn serve_turn_;
    io::List<Session> sessions_;
    bool looking_after_tunnels_ = false;
    bool draining_ = false;
    bool hurried_ = false;
    io::Scope scope_;
};

}  // namespace sallyport::gate
