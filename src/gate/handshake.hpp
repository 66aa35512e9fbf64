// The TLS handshake with a client, on a port where TLS begins at once or where the client has asked for it.
#pragma once

#include "gate/session.hpp"
#include "io/stream.hpp"
#include "io/task.hpp"
#include "telemetry/reason.hpp"

#include <string>

namespace sallyport::gate {

struct ClientHandshake {
    telemetry::Reason reason = telemetry::Reason::ok;
    std::string detail = {};
    bool silent = false;      // it left before its first byte, or there is no certificate any more: no story
    bool plain_http = false;  // it speaks HTTP without TLS, and would understand an answer in it
    bool gone = false;        // nobody is there to be told anything
};

io::Task<ClientHandshake> shake_hands_with_client(Session& session, io::Stream& client);

}  // namespace sallyport::gate
