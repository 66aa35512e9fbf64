// What is going on at the gate, for an admin who looks: connections and targets, as values that own their text.
#pragma once

#include "gate/gate.hpp"
#include "gate/targets/state.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::gate {

struct SessionView {
    std::string id;  // "1-42": the loop's number and a count
    std::string client;
    std::string listener;
    telemetry::Protocol protocol = telemetry::Protocol::http;
    bool tls = false;
    std::string state;    // "idle" between two requests, "busy", "tunnel"
    std::string service;  // empty: none at present
    std::string target;
    Duration age{};
    std::uint64_t bytes_in = 0;  // of a tunnel, so far
    std::uint64_t bytes_out = 0;
};

/// The connections of one loop, on its thread: the oldest first, `most` at the most.
/// @param service  only those that it is busy with; empty: all
std::vector<SessionView> look_at_sessions(Gate& gate, std::string_view service, std::size_t most);

/// Ends a connection, or all that are busy with a service. On the loop's thread.
/// @return how many
std::size_t end_session(Gate& gate, std::string_view id);
std::size_t end_sessions_of(Gate& gate, std::string_view service);

struct TargetView {
    std::string service;
    config::Protocol protocol = config::Protocol::http;
    std::string target;
    Condition condition = Condition::up;
    Wish wish = Wish::up;
    std::optional<telemetry::Reason> why;  // it is not up
    std::optional<WallTime> since;         // it has been as it is; none: from the start
    std::optional<Duration> latency;       // of the last connect
    std::uint32_t connections = 0;
};

/// Every target of every service, in the configuration's order. Any thread.
std::vector<TargetView> look_at_targets(const Snapshot& snapshot);

/// Sets an admin's wish for the targets of a service.
/// @param protocol  none: of every protocol that knows the name
/// @param target    as the configuration writes it; empty: all of them
/// @return how many
std::size_t set_wish(const Snapshot& snapshot, std::string_view service, std::optional<config::Protocol> protocol,
                     std::string_view target, Wish wish);

}  // namespace sallyport::gate
