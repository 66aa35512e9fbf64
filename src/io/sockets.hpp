// Sockets before they are streams: listening, accepting, connecting.
#pragma once

#include "base/address.hpp"
#include "base/result.hpp"
#include "io/fd.hpp"
#include "io/loop.hpp"
#include "io/stream.hpp"
#include "io/task.hpp"

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

namespace sallyport::io {

struct ListenOptions {
    bool reuse_port = false;  // several sockets on one address, one for each loop (SO_REUSEPORT)
    bool v4_too = false;      // an IPv6 wildcard that takes IPv4 as well
    int buffer = 0;           // UDP: bytes that may wait to be received; 0: the system's default
};

/// A listening TCP socket, non-blocking, TCP_NODELAY inherited by what it accepts. The error names the address and says
/// what to do: a port in use, a privilege that lacks, an address that is not ours.
Result<Fd> listen_tcp(const SocketAddress& address, ListenOptions options);

/// A listening TCP socket whose address connections of ours may be dialed from, too (Source::shared_port): nobody else
/// of this user may listen there, which the caller sees to. The error is errno.
std::expected<Fd, int> listen_one_tcp(const SocketAddress& address);

/// A bound UDP socket, non-blocking, that tells the local address of what it receives (io/udp.hpp). Errors as of
/// listen_tcp.
Result<Fd> bind_udp(const SocketAddress& address, ListenOptions options);

/// A UDP socket that speaks with this peer alone, non-blocking, from a port of the kernel's random choice: what others
/// send to it is dropped by the kernel, and that nobody listens there is told by receive() (io/udp.hpp).
/// @param source  the local address; none: the kernel's choice.
Result<Fd> connect_udp(const SocketAddress& to, std::optional<IpAddress> source = {});

/// A listening Unix socket, reachable as `mode` says. A stale socket file of a program that is gone is replaced; one
/// that answers is an error.
Result<Fd> listen_unix(const std::string& path, unsigned mode);

/// The address a socket is bound to: the real port where 0 was asked for.
SocketAddress local_address(int fd);

/// Closing this TCP socket will tell its peer of a reset, not of an end.
void reset_when_closed(int fd);

/// A connection may idle for days; a peer that has vanished is found by the kernel's keep-alives, within two minutes,
/// and no firewall on the way forgets it for silence. So it is too where something was sent that is never acknowledged.
void keep_alive(int fd);

/// Where a connection was going before a rule of the firewall redirected it here (SO_ORIGINAL_DST); nothing where none
/// did.
std::optional<SocketAddress> original_destination(int fd);

struct Accepted {
    Fd fd;
    SocketAddress peer;
};

/// A listening socket in a loop.
class Acceptor {
public:
    static Result<Acceptor> adopt(Loop& loop, Fd fd, Cancellation& cancellation);
    Acceptor(Acceptor&& other) noexcept : watched_(std::exchange(other.watched_, nullptr)) {}
    Acceptor& operator=(Acceptor&&) = delete;
    ~Acceptor() { close(); }

    /// The next connection, or errno: EAGAIN when none waits; EMFILE, ENFILE, ENOBUFS, ENOMEM when the system has no
    /// room, and then the edge is not repeated: try again by timer.
    std::expected<Accepted, int> accept();
    WaitAny<1> readable(Deadline deadline) { return {deadline, {{{watched_, Interest::read}}}}; }
    bool is_open() const { return watched_ != nullptr; }
    void close();

private:
    explicit Acceptor(Watched* watched) : watched_(watched) {}
    Watched* watched_;
};

enum class ConnectFailure : std::uint8_t { refused, timeout, unreachable, cancelled, local };

struct ConnectError {
    ConnectFailure failure;
    int error = 0;  // errno, 0 for timeout and cancelled
};

/// The local address to dial from.
struct Source {
    Source(IpAddress of_ours, bool free = false) : ip(of_ours), anywhere(free) {}  // NOLINT: an address is a source

    IpAddress ip;
    bool anywhere;  // it need be on no interface of this machine: it is routed here, or is about to be
    std::uint16_t shared_port = 0;  // one that a socket of listen_one_tcp() holds as well; 0: any free one
};

/// @param source  none: the kernel's choice.
Task<std::expected<Stream, ConnectError>> connect_tcp(Loop& loop, Cancellation& cancellation, SocketAddress to,
                                                      std::optional<Source> source, Deadline deadline);

/// The addresses of this machine's interfaces.
std::vector<IpAddress> own_addresses();

/// Is this address on this machine, on an interface or by a local route?
bool is_local(const IpAddress& address);
Task<std::expected<Stream, ConnectError>> connect_unix(Loop& loop, Cancellation& cancellation, std::string path,
                                                       Deadline deadline);

}  // namespace sallyport::io
