// One client connection while it lives: who it is, what it does at present, and how it is told to end.
#pragma once

#include "base/address.hpp"
#include "base/time.hpp"
#include "config/config.hpp"
#include "io/cancellation.hpp"
#include "io/list.hpp"
#include "listeners/loop_listeners.hpp"
#include "telemetry/protocol.hpp"
#include "telemetry/reason.hpp"

#include <cstdint>
#include <string_view>

namespace sallyport::gate {

class Gate;
struct Tunnel;

/// In the frame of the coroutine that serves the connection.
struct Session : io::ListNode {
    Session(Gate& gate, listeners::ListenerHandle on, SocketAddress from);
    ~Session();

    Gate& gate;
    listeners::ListenerHandle listener;
    SocketAddress client;    // what rules, records and targets go by: of the PROXY header where there is one
    SocketAddress told_own;  // what the client connected to, as the PROXY header says; port 0: ask the socket
    std::uint64_t id;        // unique while the program runs: its loop's number in the upper bits, then a count
    SteadyTime since;
    io::Cancellation cancellation;
    telemetry::Reason ended_by = telemetry::Reason::ok;  // why it was cancelled
    bool tls;              // the client begins with TLS: its port says so, or its first bytes
    bool idle = false;     // between two requests: may be closed without a word
    bool counted = false;  // among its client's connections

    // What it is busy with: views of what the coroutine at work holds. Empty between two requests.
    config::Protocol protocol = config::Protocol::http;  // means nothing while it is undecided
    bool undecided = false;  // on a port of many protocols, until its first bytes have told which one
    bool turn = false;       // it is TURN, and another room serves it
    std::string_view service;  // the name that records call it by
    std::string_view target;
    Tunnel* tunnel = nullptr;  // once it is routed for good

    /// What records and metrics call its protocol.
    telemetry::Protocol counted_as() const {
        if (turn) return telemetry::Protocol::turn;
        return undecided ? telemetry::Protocol::mux : static_cast<telemetry::Protocol>(protocol);
    }

    void busy_with(std::string_view by_service, std::string_view by_target) {
        service = by_service;
        target = by_target;
    }
    void at_rest() { service = target = {}; }

    /// Whoever says so first has said why.
    void end(telemetry::Reason reason) {
        if (!cancellation.requested()) ended_by = reason;
        cancellation.request();
    }
};

}  // namespace sallyport::gate
