// The gate on one data loop: what it decides by at present, and the sessions that are open.
#pragma once

#include "gate/dialect.hpp"
#include "gate/snapshot.hpp"
#include "io/loop.hpp"
#include "io/scope.hpp"
#include "io/tls.hpp"
#include "net/names.hpp"
#include "telemetry/counters.hpp"
#include "telemetry/logger.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sallyport::gate {

struct HttpScratch;

/// A snapshot with what one loop needs beside it: OpenSSL contexts are never shared between loops.
struct LoopSnapshot {
    std::shared_ptr<const Snapshot> routing;
    std::shared_ptr<const io::TlsServer> tls_server;                // null: no certificate
    std::vector<std::shared_ptr<const io::TlsClient>> tls_clients;  // by Service::index; null: no TLS leg
};
using SnapshotHandle = std::shared_ptr<const LoopSnapshot>;

/// One client connection while it lives. In the frame of the coroutine that serves it.
struct Session : io::ListNode {
    Session(Gate& gate, listeners::Listener on, SocketAddress from);
    ~Session();

    Gate& gate;
    listeners::Listener listener;
    SocketAddress client;
    io::Cancellation cancellation;
    telemetry::Reason ended_by = telemetry::Reason::ok;  // why it was cancelled
    bool idle = false;        // between two requests: may be closed without a word
    // The service that an open tunnel belongs to; no name while requests are decided one by one.
    config::Protocol tunnel_protocol = config::Protocol::http;
    std::string tunnel_name;

    void enter_tunnel(config::Protocol protocol, std::string service) {
        tunnel_protocol = protocol;
        tunnel_name = std::move(service);
    }

    void end(telemetry::Reason reason) {
        ended_by = reason;
        cancellation.request();
    }
};

class Gate {
public:
    /// All of them outlive the gate. @param node  this node's name, for Via.
    Gate(io::Loop& loop, telemetry::Reporter& reporter, telemetry::LoopCounters& counters, std::string node);
    ~Gate();

    /// From now on decisions are made by this. Tunnels of services that are gone end after `drain_timeout`.
    void adopt(SnapshotHandle snapshot);
    void adopt(std::shared_ptr<const net::NameTable> names) { names_ = std::move(names); }

    /// Serves one connection by the dialect that the listener's kind names (its place in dialects()).
    void take(const listeners::Listener& listener, io::Accepted accepted);

    /// Nothing new: idle sessions end at once, busy ones after their request.
    void drain();
    /// Drains, ends at the deadline what is left, and waits for it.
    io::Task<void> finish(io::Deadline patience);
    /// Makes a finish() that is under way end everything now.
    void hurry() { hurried_ = true; }

    io::Loop& loop() { return loop_; }
    const SnapshotHandle& snapshot() const { return snapshot_; }
    const std::shared_ptr<const net::NameTable>& names() const { return names_; }
    const std::string& node() const { return node_; }
    bool draining() const { return draining_; }
    std::size_t open_sessions() const { return scope_.running(); }
    telemetry::LoopCounters& counters() { return counters_; }
    HttpScratch& http_scratch() { return *http_scratch_; }

    /// The end of a story: counted always, logged as the log is set.
    void report(const telemetry::Record& record);

private:
    friend struct Session;

    io::Task<void> end_removed_tunnels(Duration patience);

    io::Loop& loop_;
    telemetry::Reporter& reporter_;
    telemetry::LoopCounters& counters_;
    std::string node_;
    SnapshotHandle snapshot_;
    std::shared_ptr<const net::NameTable> names_;
    std::unique_ptr<HttpScratch> http_scratch_;
    io::List<Session> sessions_;
    bool draining_ = false;
    bool hurried_ = false;
    io::Scope scope_;
};

}  // namespace sallyport::gate
