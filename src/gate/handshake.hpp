// The TLS handshake with a client, on a port where TLS begins at once or where the client has asked for it.
#pragma once

#include "gate/session.hpp"
#include "gate/snapshot.hpp"
#include "io/stream.hpp"
#include "io/task.hpp"
#include "io/tls.hpp"
#include "telemetry/reason.hpp"

#include <span>
#include <string>
#include <string_view>

namespace sallyport::gate {

/// Is a client that shakes hands here to be asked for its certificate? By the services of what is spoken on the port;
/// on one for many protocols, by http's where the client says that it speaks that.
bool asks_for_certificate(const Snapshot& routing, const io::ClientSaid& client);

/// What is agreed to by ALPN on a port of this kind, best first.
std::span<const std::string_view> agreed_protocols(bool mux_takes_turn, int port_kind);

struct ClientHandshake {
    telemetry::Reason reason = telemetry::Reason::ok;
    std::string detail = {};
    bool silent = false;      // it left before its first byte, or there is no certificate any more: no story
    bool plain_http = false;  // it speaks HTTP without TLS, and would understand an answer in it
    bool gone = false;        // nobody is there to be told anything
};

io::Task<ClientHandshake> shake_hands_with_client(Session& session, io::Stream& client);

}  // namespace sallyport::gate
