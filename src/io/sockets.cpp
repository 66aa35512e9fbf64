#include "io/sockets.hpp"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

namespace sallyport::io {

namespace {

constexpr int backlog = 4096;

void set(int fd, int level, int option, int value) { setsockopt(fd, level, option, &value, sizeof value); }

void share_port(int fd) {
    set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
}

std::string advice(int error) {
    switch (error) {
        case EADDRINUSE: return "another program holds it (ss -ltnp shows which)";
        case EACCES:
        case EPERM: return "a port below 1024 needs root or CAP_NET_BIND_SERVICE";
        case EADDRNOTAVAIL: return "this machine has no such address";
        default: return std::strerror(error);
    }
}

ConnectFailure kind_of(int error) {
    switch (error) {
        case ECONNREFUSED:
        case ECONNRESET:
        case ENOENT: return ConnectFailure::refused;  // ENOENT: a Unix socket that nobody has made
        case ETIMEDOUT: return ConnectFailure::timeout;
        case ENETUNREACH:
        case EHOSTUNREACH:
        case ENETDOWN:
        case EADDRNOTAVAIL:
        case EACCES:
        case EPERM: return ConnectFailure::unreachable;  // EPERM: our own firewall
        default: return ConnectFailure::local;
    }
}

std::expected<sockaddr_un, int> unix_address(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return std::unexpected(ENAMETOOLONG);
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

std::string cannot_listen(const SocketAddress& address) { return "can't listen on " + address.to_string() + ": "; }

Result<Fd> open_socket(const SocketAddress& address, int type, ListenOptions options) {
    Fd fd(::socket(address.ip.is_v4() ? AF_INET : AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) return fail(cannot_listen(address) + std::strerror(errno));
    if (options.reuse_port) set(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1);
    if (!address.ip.is_v4()) set(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, options.v4_too ? 0 : 1);
    return fd;
}

bool bind_to(int fd, const SocketAddress& address) {
    sockaddr_storage storage;
    const unsigned size = address.to_sockaddr(storage);
    return ::bind(fd, reinterpret_cast<const sockaddr*>(&storage), size) == 0;
}

std::unexpected<ConnectError> failed_with(int error) { return std::unexpected(ConnectError{kind_of(error), error}); }

Task<std::expected<Stream, ConnectError>> finish_connect(Loop& loop, Cancellation& cancellation, Fd fd, int error,
                                                         Deadline deadline) {
    if (error != 0 && error != EINPROGRESS) co_return failed_with(error);
    auto stream = Stream::adopt(loop, std::move(fd), cancellation);
    if (!stream) co_return failed_with(ENOMEM);
    if (error == 0) co_return std::move(*stream);
    stream->watched().writable = false;
    const Wait waited = co_await stream->writable(deadline);
    if (waited == Wait::timeout) co_return std::unexpected(ConnectError{ConnectFailure::timeout});
    if (waited == Wait::cancelled) co_return std::unexpected(ConnectError{ConnectFailure::cancelled});
    int outcome = 0;
    socklen_t size = sizeof outcome;
    getsockopt(stream->fd(), SOL_SOCKET, SO_ERROR, &outcome, &size);
    if (outcome != 0) co_return failed_with(outcome);
    co_return std::move(*stream);
}

}  // namespace

Result<Fd> listen_tcp(const SocketAddress& address, ListenOptions options) {
    auto fd = open_socket(address, SOCK_STREAM, options);
    if (!fd) return fd;
    set(fd->get(), SOL_SOCKET, SO_REUSEADDR, 1);
    set(fd->get(), IPPROTO_TCP, TCP_NODELAY, 1);
    if (!bind_to(fd->get(), address) || ::listen(fd->get(), backlog) != 0)
        return fail(cannot_listen(address) + advice(errno));
    return fd;
}

std::expected<Fd, int> listen_one_tcp(const SocketAddress& address) {
    constexpr int few = 64;  // connections that wait to be accepted: those of one client
    Fd fd(::socket(address.ip.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) return std::unexpected(errno);
    share_port(fd.get());
    set(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
    if (!bind_to(fd.get(), address) || ::listen(fd.get(), few) != 0) return std::unexpected(errno);
    return fd;
}

Result<Fd> bind_udp(const SocketAddress& address, ListenOptions options) {
    auto fd = open_socket(address, SOCK_DGRAM, options);
    if (!fd) return fd;
    if (address.ip.is_v4())
        set(fd->get(), IPPROTO_IP, IP_PKTINFO, 1);
    else
        set(fd->get(), IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    if (options.buffer != 0) {
        set(fd->get(), SOL_SOCKET, SO_RCVBUF, options.buffer);       // as far as net.core.rmem_max allows,
        set(fd->get(), SOL_SOCKET, SO_RCVBUFFORCE, options.buffer);  // and beyond with CAP_NET_ADMIN
    }
    if (!bind_to(fd->get(), address)) return fail(cannot_listen(address) + advice(errno));
    return fd;
}

Result<Fd> connect_udp(const SocketAddress& to, std::optional<IpAddress> source) {
    const auto failed = [&to] { return fail("can't send to " + to.to_string() + ": " + std::strerror(errno)); };
    Fd fd(::socket(to.ip.is_v4() ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd || (source && !bind_to(fd.get(), {*source, 0}))) return failed();
    sockaddr_storage storage;
    const unsigned size = to.to_sockaddr(storage);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&storage), size) != 0) return failed();
    return fd;
}

Result<Fd> listen_unix(const std::string& path, unsigned mode) {
    const std::string where = "can't listen on " + path + ": ";
    const auto address = unix_address(path);
    if (!address) return fail(where + "a socket's path has at most 107 characters");
    const auto* generic = reinterpret_cast<const sockaddr*>(&*address);
    Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) return fail(where + std::strerror(errno));
    const Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!probe) return fail(where + std::strerror(errno));
    if (::connect(probe.get(), generic, sizeof *address) == 0) return fail(where + "a running gateway answers there");
    const bool refused = errno == ECONNREFUSED;
    struct stat status{};  // a file that is no socket refuses too, and is not ours to remove
    if (refused && ::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode)) ::unlink(path.c_str());
    const mode_t before = ::umask(0777 & ~mode);
    const bool bound = ::bind(fd.get(), generic, sizeof *address) == 0;
    const int error = errno;
    ::umask(before);
    if (!bound) return fail(where + std::strerror(error));
    if (::listen(fd.get(), backlog) != 0) return fail(where + std::strerror(errno));
    return fd;
}

void reset_when_closed(int fd) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

void keep_alive(int fd) {
    set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60);
    set(fd, IPPROTO_TCP, TCP_KEEPINTVL, 20);
    set(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
    set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 120'000);
}

std::optional<SocketAddress> original_destination(int fd) {
    constexpr int original_dst =
        80;  // SO_ORIGINAL_DST and IP6T_SO_ORIGINAL_DST of Linux, whose headers clash with libc's
    sockaddr_storage storage{};
    for (const int level : {IPPROTO_IP, IPPROTO_IPV6}) {
        socklen_t size = sizeof storage;
        if (getsockopt(fd, level, original_dst, &storage, &size) != 0) continue;
        const SocketAddress original = SocketAddress::from(reinterpret_cast<const sockaddr&>(storage));
        if (original != local_address(fd)) return original;
    }
    return std::nullopt;
}

SocketAddress local_address(int fd) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    if (getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return {};
    return SocketAddress::from(reinterpret_cast<const sockaddr&>(storage));
}

std::vector<IpAddress> own_addresses() {
    std::vector<IpAddress> out;
    ifaddrs* all = nullptr;
    if (getifaddrs(&all) != 0) return out;
    for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
        if (one->ifa_addr == nullptr) continue;
        if (one->ifa_addr->sa_family != AF_INET && one->ifa_addr->sa_family != AF_INET6) continue;
        out.push_back(SocketAddress::from(*one->ifa_addr).ip);
    }
    freeifaddrs(all);
    return out;
}

bool is_local(const IpAddress& address) {
    const Fd fd(::socket(address.is_v4() ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    return fd && bind_to(fd.get(), {address, 0});
}

Result<Acceptor> Acceptor::adopt(Loop& loop, Fd fd, Cancellation& cancellation) {
    Watched* watched = loop.watch(fd.get(), cancellation, false);
    if (watched == nullptr) return fail(std::string("a listener can't be watched by epoll: ") + std::strerror(errno));
    watched->readable = true;  // connections may wait already, and their edge is past
    fd.release();
    return Acceptor(watched);
}

std::expected<Accepted, int> Acceptor::accept() {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    auto* peer = reinterpret_cast<sockaddr*>(&storage);
    const int fd = watched_->loop->system_calls().accept4(watched_->fd, peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) return Accepted{Fd(fd), SocketAddress::from(*peer)};
    if (errno == EAGAIN) watched_->readable = false;
    return std::unexpected(errno);
}

void Acceptor::close() {
    if (watched_ == nullptr) return;
    const int fd = watched_->fd;
    watched_->loop->unwatch(std::exchange(watched_, nullptr));
    ::close(fd);
}

Task<std::expected<Stream, ConnectError>> connect_tcp(Loop& loop, Cancellation& cancellation, SocketAddress to,
                                                      std::optional<Source> source, Deadline deadline) {
    Fd fd(::socket(to.ip.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) co_return failed_with(errno);
    set(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
    if (source) {
        set(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);  // the port is chosen at connect: no early exhaustion
        if (source->anywhere) set(fd.get(), IPPROTO_IP, IP_FREEBIND, 1);
        if (source->shared_port != 0) share_port(fd.get());
        if (!bind_to(fd.get(), {source->ip, source->shared_port})) co_return failed_with(errno);
    }
    sockaddr_storage storage;
    const unsigned size = to.to_sockaddr(storage);
    const int result = loop.system_calls().connect(fd.get(), reinterpret_cast<const sockaddr*>(&storage), size);
    const int error = result == 0 ? 0 : errno;
    co_return co_await finish_connect(loop, cancellation, std::move(fd), error, deadline);
}

Task<std::expected<Stream, ConnectError>> connect_unix(Loop& loop, Cancellation& cancellation, std::string path,
                                                       Deadline deadline) {
    const auto address = unix_address(path);
    if (!address) co_return failed_with(address.error());
    Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) co_return failed_with(errno);
    const int result =
        loop.system_calls().connect(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address);
    const int error = result == 0 ? 0 : errno;
    co_return co_await finish_connect(loop, cancellation, std::move(fd), error, deadline);
}

}  // namespace sallyport::io
