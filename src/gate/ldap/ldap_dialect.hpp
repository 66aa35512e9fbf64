// LDAP (RFC 4511), routed by the domain of the bind.
#pragma once

#include "gate/dialect.hpp"
#include "gate/explain.hpp"

#include <string_view>

namespace sallyport::gate::ldap {

/// Do these first bytes begin a connection of LDAP?
Recognized recognize(Bytes first);

/// Serves one LDAP connection until it is bound for a target, or refused in LDAP. StartTLS is answered and ends here.
io::Task<std::unique_ptr<Tunnel>> serve(Session& session, io::Stream& client);

/// @param name  of the subject "ldap:NAME" or "ldaps:NAME": what a client would bind as.
void explain(const Snapshot& snapshot, const Question& question, bool tls, std::string_view name,
             Explanation& explanation);

}  // namespace sallyport::gate::ldap
