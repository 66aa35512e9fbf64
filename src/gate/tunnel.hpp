// What connections of every protocol have in common once they are routed for good: bytes both ways, for days if need
// be, and one record at the end.
#pragma once

#include "gate/session.hpp"
#include "gate/targets/connect.hpp"
#include "io/relay.hpp"
#include "io/stream.hpp"
#include "telemetry/record.hpp"

#include <expected>
#include <memory>
#include <string>

namespace sallyport::gate {

/// Looks at what passes through a tunnel, and speaks its protocol when it comes to an end.
class Watch : public io::RelayWatch {
public:
    /// Why it has ended the relay.
    virtual telemetry::Reason reason() const = 0;
    virtual std::string_view detail() const { return {}; }
    /// The relay is over. Its record is written after this.
    virtual void over(io::RelayEnd) {}
    /// Tells the client that the gateway ends the connection, where the protocol has words for it.
    virtual void say_goodbye(io::Stream& client, telemetry::Reason why) = 0;
};

/// Owns all that its record will say, and nothing else of what led to it: no head, no snapshot.
struct Tunnel {
    TargetConnection target;
    config::Protocol protocol = config::Protocol::http;
    bool tls_client = false;
    std::string service;  // as the configuration calls it: a reload that knows it no more ends the tunnel
    std::string looked_for;
    std::string method;  // http
    std::string url;     // http
    std::uint16_t status = 0;  // http
    SteadyTime since;
    WallTime began;
    std::unique_ptr<Watch> watch = {};  // null: nobody looks
    io::Relayed relayed;  // also what passed before it was a tunnel

    // While it is carried.
    io::Stream* client = nullptr;
    io::Relayed counted = {};  // of `relayed`, what the counters know already
    bool watched_by_kernel = false;
};

/// Finds a target as decided, and makes the tunnel to it. What the session is busy with meanwhile is said.
/// @param decision  admitted, and not for a builtin
/// @param name      what the client asked for
io::Task<std::expected<std::unique_ptr<Tunnel>, ConnectFailure>> open_tunnel(
    Session& session, const io::Stream& client, std::shared_ptr<const LoopSnapshot> snapshot, Decision decision,
    std::string name);

/// What is done for a tunnel every now and then while it lives: its bytes are counted, and the kernel is asked to find
/// out when one of its peers has vanished. Short ones are spared both.
void look_after(Session& session);

/// Passes bytes until one side ends it, an admin does, or a reload takes its service away. Reports the record.
io::Task<void> carry(Session& session, io::Stream& client, std::unique_ptr<Tunnel> tunnel);

}  // namespace sallyport::gate
