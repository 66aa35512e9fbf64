// A small HTTP/1.1 server for the control plane, on the control loop: one connection is one coroutine, requests are
// answered one after another from a table of routes. Strict and bounded; never on a data path.
#pragma once

#include "admin/message.hpp"
#include "base/address.hpp"
#include "base/network_map.hpp"
#include "io/scope.hpp"
#include "io/sockets.hpp"
#include "io/stream.hpp"
#include "io/task.hpp"
#include "io/tls.hpp"

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

namespace sallyport::admin {

class Control;

inline constexpr std::size_t max_body = std::size_t{1024} * 1024;        // bytes
inline constexpr Duration first_byte_within = std::chrono::seconds{10};  // of a connection, and between requests
inline constexpr Duration request_within = std::chrono::seconds{10};     // from its first byte to its last
inline constexpr Duration answer_within = std::chrono::seconds{10};      // until the kernel has taken it
inline constexpr std::size_t max_connections = 64;                       // on one listening socket

/// Who is at the other end.
struct UnixPeer {
    uid_t uid = 0;  // of the process that connected (unix(7), SO_PEERCRED)
    pid_t pid = 0;
};
struct TcpPeer {
    SocketAddress address;
    bool tls = false;
};
using Peer = std::variant<UnixPeer, TcpPeer>;

/// Who may use a route. There is no login on the TCP port yet, so it serves next to nothing.
enum class Access : std::uint8_t {
    trusted,  // trusted users on the Unix socket
    metrics,  // these, and loopback and the networks of metrics_from on TCP
    anyone,
};

struct Route {
    std::string_view method;  // GET answers HEAD as well
    std::string_view path;
    Access access;
    io::Task<Response> (*handler)(Control& control, const Request& request);
};

/// What a listening socket of the control plane serves, and to whom. Lives on the control loop, outlives its
/// connections; a reload may change it between requests.
struct Site {
    std::span<const Route> routes;
    Control& control;
    std::vector<uid_t> trusted_uids = {};  // beside root: our own, once privileges are dropped
    NetworkSet metrics_from = {};          // beside loopback
};

/// The TLS context for the next connection to the TCP port, the present certificate in it; null: there is none, and the
/// connection closes. An empty function: plain, as on the Unix socket.
using TlsSource = std::function<std::shared_ptr<const io::TlsServer>()>;

/// Answers the requests of one connection until it ends, in whatever way.
io::Task<void> serve(io::Stream stream, const Site& site, Peer peer);

/// Accepts and serves until `cancellation` is requested, then ends its connections. More than max_connections at a time
/// are answered 503.
/// @param acceptor  adopted with this cancellation; Unix or TCP.
io::Task<void> accept_and_serve(io::Loop& loop, io::Cancellation& cancellation, io::Acceptor acceptor, const Site& site,
                                TlsSource tls);

}  // namespace sallyport::admin
