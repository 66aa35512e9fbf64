// The question that comes before a registration: a phone asks which gatekeeper there is (GRQ), and need not say who it
// is. Where a certificate decides on the leg, that can't be decided yet: the question is asked on a connection of its
// own, and what the phone says next is taken for its first message.
#pragma once

#include "gate/h323/asked.hpp"
#include "gate/opening.hpp"
#include "gate/tunnel.hpp"

namespace sallyport::gate::h323 {

/// Is it a GRQ, and nothing else?
bool only_discovers(const Heard& heard);

/// Asks the target, and passes on what it says once its message is whole; nothing where it does not come to that.
/// @param question  all that the client has sent, and `heard` is what it says: both stay as they are meanwhile
/// @return ok, else why there was no answer
io::Task<telemetry::Reason> discover(Session& session, Opening& opening, Tunnel& tunnel, Bytes question,
                                     const Heard& heard);

}  // namespace sallyport::gate::h323
