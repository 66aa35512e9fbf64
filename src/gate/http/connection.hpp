// One HTTP client connection, and the story of the request that is being served on it.
#pragma once

#include "gate/gate.hpp"
#include "gate/http/identity.hpp"
#include "gate/http/inbox.hpp"
#include "gate/router.hpp"
#include "gate/targets/connect.hpp"
#include "gate/tunnel.hpp"
#include "io/stream.hpp"
#include "wire/http/head.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::gate::http {

/// A target connection that stays with its client for the next request, because the target knows the client by it.
struct Private {
    TargetConnection connection;
    const Service* service = nullptr;       // whose target it is, in `routing`
    std::weak_ptr<const Snapshot> routing;  // by which it was chosen: after a reload the target may be another
    bool knows_its_client = false;          // by credentials: nobody else may ever use it

    bool serves(const Decision& decision, const std::shared_ptr<const Snapshot>& present) const {
        if (routing.owner_before(present) || present.owner_before(routing)) return false;
        return service == decision.service && connection.tls == decision.leg_tls && connection.quiet() &&
               connection.lease.target()->wish() == Wish::up;
    }
};

struct Connection {
    Session& session;
    io::Stream& client;
    Inbox inbox;
    std::optional<Private> kept;
    std::unique_ptr<Identity> identity;  // what the client showed in its handshake; null: nobody has asked yet
    std::unique_ptr<Tunnel> tunnel;  // the request was a WebSocket's, and this is what became of it

    Gate& gate() const { return session.gate; }
    io::Loop& loop() const { return session.gate.loop(); }
    /// What the client showed; read from the handshake when it is first asked for.
    const Identity& shown();
};

/// What the record of one request will say. Views live as long as the request is in the inbox and its snapshot is held.
struct Story {
    explicit Story(const io::Loop& loop) : since(loop.now()), began(loop.wall()) {}

    SteadyTime since;
    WallTime began;
    telemetry::Reason reason = telemetry::Reason::ok;
    std::string_view service;
    std::string_view nearest;
    std::string target;
    bool tls_target = false;
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
    std::uint16_t status = 0;
    std::string detail;
    bool keep_alive = false;  // towards the client, once the request is answered
    bool forwarded = false;  // a target was chosen, and the answer is its own
};

/// One request whose head stands at the front of the inbox.
struct Request {
    sallyport::http::RequestFacts facts;
    std::size_t head_length = 0;
    SnapshotHandle snapshot;
    Decision decision;
};

/// Sends the whole refusal or own page; the story learns its status and size, and whether the connection lives on.
io::Task<void> send_own(Connection& connection, const Request& request, Story& story, std::string response,
                        bool keep_alive);

/// Answers with the page for story.reason.
io::Task<void> refuse(Connection& connection, const Request& request, Story& story);

/// Forwards the request to a target of the decision's service and its answer to the client. On return the story is
/// whole, or goes on as the connection's tunnel.
io::Task<void> forward(Connection& connection, Request& request, Story& story);

}  // namespace sallyport::gate::http
