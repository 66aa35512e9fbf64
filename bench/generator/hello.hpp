// The first two messages of a TLS connection, for relays that route by the server name and pass the rest unopened.
#pragma once

#include <string>
#include <string_view>

namespace sallyport::bench {

/// A ClientHello record as OpenSSL sends it, with `server_name` as its SNI (RFC 6066 section 3).
std::string client_hello(const std::string& server_name);

/// A ServerHello record (RFC 8446 section 4.1.3). Its keys are made up: nobody shakes hands.
std::string_view server_hello();

}  // namespace sallyport::bench
