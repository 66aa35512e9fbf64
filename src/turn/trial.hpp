// Does a TURN server do what it is there for? Allocates over one transport, and sends through the relay to itself.
#pragma once

#include "base/address.hpp"
#include "base/time.hpp"
#include "io/dtls_client.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "io/tls.hpp"
#include "turn/outlet.hpp"

#include <memory>
#include <optional>
#include <string>

namespace sallyport::turn {

struct SelfTest {
    SocketAddress server;
    Transport transport = Transport::udp;
    bool relays = true;  // false: a STUN server, of which the own address is asked
    std::string host;    // for TLS and DTLS: the name to verify
    std::string user;
    std::string password;
    std::shared_ptr<io::TlsClient> tls = nullptr;
    std::shared_ptr<io::DtlsClient> dtls = nullptr;
};

struct SelfTested {
    std::string problem;  // what went wrong, and where; empty: it works
    std::optional<SocketAddress> mapped = {};
    std::optional<SocketAddress> relayed = {};
    std::optional<Duration> round_trip = {};  // of data through the relay
};

/// Takes some seconds at the most, and leaves nothing at the server.
io::Task<SelfTested> test_server(io::Loop& loop, SelfTest test);

}  // namespace sallyport::turn
