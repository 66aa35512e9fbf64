// `protocol = "tls"`: connections that are passed on unopened by the name in their ClientHello, so that client and
// target shake hands with one another, certificates of both sides included. They share the https listeners with
// services whose TLS ends here.
#pragma once

#include "gate/explain.hpp"
#include "gate/gate.hpp"
#include "io/stream.hpp"

#include <string_view>

namespace sallyport::gate::tls {

/// Looks at the ClientHello without taking it. When its name belongs to a tls service, serves the connection to its end
/// and record, and answers true; otherwise the connection is as it was, and whoever asked goes on with it.
io::Task<bool> pass_by_sni(Session& session, io::Stream& client);

/// @param name  of the subject "tls:NAME".
void explain(const Snapshot& snapshot, const Question& question, bool tls, std::string_view name,
             Explanation& explanation);

}  // namespace sallyport::gate::tls
