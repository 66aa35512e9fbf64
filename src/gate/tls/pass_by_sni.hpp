// `protocol = "tls"`: connections that are passed on unopened by the name in their ClientHello, so that client and
// target shake hands with one another, certificates of both sides included. They share the https listeners with
// services whose TLS ends here.
#pragma once

#include "gate/explain.hpp"
#include "gate/session.hpp"
#include "gate/tunnel.hpp"
#include "io/stream.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace sallyport::gate::tls {

/// Looks at the ClientHello without taking it. The name in it, when it belongs to a tls service; otherwise nothing, and
/// whoever serves the connection finds it as it was.
io::Task<std::string> peek_passed_name(Session& session, io::Stream& client);

/// Decides and connects. No tunnel: it was refused, with its record.
io::Task<std::unique_ptr<Tunnel>> serve(Session& session, io::Stream& client, std::string name);

/// @param name  of the subject "tls:NAME".
void explain(const Snapshot& snapshot, const Question& question, bool tls, std::string_view name,
             Explanation& explanation);

}  // namespace sallyport::gate::tls
