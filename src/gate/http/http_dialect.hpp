#pragma once

#include "gate/dialect.hpp"

namespace sallyport::gate::http {

/// Do these first bytes begin a connection of HTTP/1?
Recognized recognize(Bytes first);

/// Serves one HTTP/1 connection, plain or TLS: every request on it is decided alone and ends in a record of its own. A
/// connection that never makes a request ends in one record, unless it closes without having said a byte. A WebSocket
/// is a tunnel.
io::Task<std::unique_ptr<Tunnel>> serve(Session& session, io::Stream& client);

}  // namespace sallyport::gate::http
