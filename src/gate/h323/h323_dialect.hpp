// H.323 by H.460.17 (registrations and calls on one TCP connection), routed by the gatekeeper id.
#pragma once

#include "gate/dialect.hpp"
#include "gate/explain.hpp"

#include <string_view>

namespace sallyport::gate::h323 {

/// Do these first bytes begin a connection of H.323?
Recognized recognize(Bytes first);

/// Serves one H.323 connection until its first message has found a target, or was refused in H.323.
io::Task<std::unique_ptr<Tunnel>> serve(Session& session, io::Stream& client);

/// @param rest  of the subject "h323:hq@example.com/branch", a gatekeeper id, or "h323:bob@example.com?call", whom a
/// call
///              without registration is for
void explain(const Snapshot& snapshot, const Question& question, bool tls, std::string_view rest,
             Explanation& explanation);

}  // namespace sallyport::gate::h323
