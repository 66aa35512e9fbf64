// SIP over TCP and TLS (RFC 3261), routed by the domain of the From URI.
#pragma once

#include "gate/dialect.hpp"
#include "gate/explain.hpp"

#include <string_view>

namespace sallyport::gate::sip {

/// Do these first bytes begin a connection of SIP?
Recognized recognize(Bytes first);

/// Serves one SIP connection until its first request has found a target, or was refused in SIP.
io::Task<std::unique_ptr<Tunnel>> serve(Session& session, io::Stream& client);

/// @param rest  of the subject "sip:alice@example.com" or "sips:...": the From URI behind its scheme
void explain(const Snapshot& snapshot, const Question& question, bool tls, std::string_view rest,
             Explanation& explanation);

}  // namespace sallyport::gate::sip
