#include "gate/tunnel.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace sallyport::gate {

void keep_alive_by_kernel(const io::Stream& stream) {
    const auto set = [&stream](int level, int option, int value) {
        setsockopt(stream.fd(), level, option, &value, sizeof value);
    };
    set(SOL_SOCKET, SO_KEEPALIVE, 1);
    set(IPPROTO_TCP, TCP_KEEPIDLE, 60);
    set(IPPROTO_TCP, TCP_KEEPINTVL, 20);
    set(IPPROTO_TCP, TCP_KEEPCNT, 3);
}

telemetry::Reason tunnel_reason(io::RelayEnd end, const Session& session) {
    using telemetry::Reason;
    switch (end) {
        case io::RelayEnd::both_closed: return Reason::ok;
        case io::RelayEnd::client_failed: return Reason::client_reset;
        case io::RelayEnd::target_failed: return Reason::target_closed;
        case io::RelayEnd::idle: return Reason::idle_timeout;
        case io::RelayEnd::cancelled: return session.ended_by;
    }
    return Reason::ok;
}

}  // namespace sallyport::gate
