// The PROXY header (versions 1 and 2): a load balancer says in front of everything else who the client is, and we say
// it to targets that want to know.
#pragma once

#include "config/config.hpp"
#include "gate/session.hpp"
#include "io/stream.hpp"
#include "io/task.hpp"
#include "telemetry/reason.hpp"

#include <string>

namespace sallyport::gate {

struct ProxyHeaderRead {
    telemetry::Reason reason = telemetry::Reason::ok;
    std::string detail = {};
    bool silent = false;  // the peer left before its first byte: a probe of the port
};

/// Takes the header off the front of the connection; from then on the session's client is the one that it names. A
/// header that names none (LOCAL, UNKNOWN: the balancer's own checks) leaves the session as it is.
io::Task<ProxyHeaderRead> read_proxy_header(Session& session, io::Stream& client);

/// What the client has connected to: as its PROXY header says, else this end of the connection.
SocketAddress reached_at(const Session& session, const io::Stream& client);

/// The header that tells a target who asks.
/// @param version  not none
std::string write_proxy_header(config::ProxyProtocol version, const SocketAddress& client, const SocketAddress& own);

/// The header of a connection of our own, such as a health check.
std::string write_local_proxy_header(config::ProxyProtocol version);

}  // namespace sallyport::gate
