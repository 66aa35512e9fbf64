#include "generator/stream.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>

namespace sallyport::bench {

namespace {

void set_flag(int fd, int level, int name) {
    const int on = 1;
    ::setsockopt(fd, level, name, &on, sizeof on);
}

int open_socket(const SocketAddress& like) {
    return ::socket(like.ip.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

int bind_to(int fd, const SocketAddress& address) {
    sockaddr_storage storage{};
    const unsigned length = address.to_sockaddr(storage);
    return ::bind(fd, reinterpret_cast<const sockaddr*>(&storage), length);
}

Io plain_result(ssize_t result) {
    if (result > 0) return {Io::Kind::done, static_cast<std::size_t>(result)};
    if (result == 0) return {Io::Kind::end};
    return {errno == EAGAIN ? Io::Kind::again : Io::Kind::failed};
}

}  // namespace

TlsClient::TlsClient(bool resume) : context_(SSL_CTX_new(TLS_client_method())) {
    if (!context_) throw std::runtime_error("OpenSSL gives no client context");
    SSL_CTX_set_mode(context_.get(),
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_set_app_data(context_.get(), this);
    if (resume) SSL_CTX_sess_set_new_cb(context_.get(), &TlsClient::keep_session);
}

// A TLS 1.3 ticket arrives after the handshake (RFC 8446 section 4.6.1); taking it over means returning 1.
int TlsClient::keep_session(SSL* ssl, SSL_SESSION* session) {
    static_cast<TlsClient*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)))->session_.reset(session);
    return 1;
}

SSL* TlsClient::make(int fd, const char* server_name) const {
    SSL* ssl = SSL_new(context_.get());
    SSL_set_fd(ssl, fd);
    SSL_set_tlsext_host_name(ssl, server_name);
    SSL_set_connect_state(ssl);
    if (!session_) return ssl;
    // A copy: OpenSSL writes new secrets into the session that a handshake uses, and several may be under way.
    const std::unique_ptr<SSL_SESSION, Free> offered(SSL_SESSION_dup(session_.get()));
    SSL_set_session(ssl, offered.get());
    return ssl;
}

bool Stream::connect(const SocketAddress& to, const SocketAddress& from) {
    close();
    fd_ = open_socket(to);
    if (fd_ < 0) return false;
    set_flag(fd_, IPPROTO_TCP, TCP_NODELAY);
    // The port is chosen at connect(), so that one source address carries as many connections as there are ports.
    set_flag(fd_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
    if (bind_to(fd_, from) != 0) return false;
    sockaddr_storage storage{};
    const unsigned length = to.to_sockaddr(storage);
    return ::connect(fd_, reinterpret_cast<const sockaddr*>(&storage), length) == 0 || errno == EINPROGRESS;
}

void Stream::adopt(int fd) {
    close();
    fd_ = fd;
}

void Stream::limit_send_buffer(unsigned bytes) const {
    const int size = static_cast<int>(bytes);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

int Stream::connect_error() const {
    int error = 0;
    socklen_t length = sizeof error;
    ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &length);
    return error;
}

void Stream::start_tls(const TlsClient& client, const char* server_name) {
    offered_session_ = client.has_session();
    ssl_.reset(client.make(fd_, server_name));
}

Io Stream::tls_result(int result) const {
    if (result > 0) return {Io::Kind::done, static_cast<std::size_t>(result)};
    const int error = SSL_get_error(ssl_.get(), result);
    ERR_clear_error();
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return {Io::Kind::again};
    return {error == SSL_ERROR_ZERO_RETURN ? Io::Kind::end : Io::Kind::failed};
}

Io Stream::handshake() { return tls_result(SSL_do_handshake(ssl_.get())); }

Io Stream::read(std::span<char> into) {
    if (ssl_) return tls_result(SSL_read(ssl_.get(), into.data(), static_cast<int>(into.size())));
    return plain_result(::recv(fd_, into.data(), into.size(), 0));
}

Io Stream::discard(std::span<char> scratch, std::size_t most) {
    if (ssl_) return read(scratch);
    return plain_result(::recv(fd_, nullptr, most, MSG_TRUNC));
}

Io Stream::write(std::string_view bytes) {
    if (ssl_) return tls_result(SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())));
    return plain_result(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
}

void Stream::finish() { ::shutdown(fd_, SHUT_WR); }

void Stream::reset() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
}

// Without close_notify OpenSSL takes the session for a broken one and never resumes it.
void Stream::close() {
    if (ssl_ && SSL_is_init_finished(ssl_.get()) == 1) SSL_shutdown(ssl_.get());
    ssl_.reset();
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

int listen_on(const SocketAddress& address) {
    const int fd = open_socket(address);
    if (fd < 0) return -1;
    set_flag(fd, SOL_SOCKET, SO_REUSEADDR);
    set_flag(fd, IPPROTO_TCP, TCP_NODELAY);  // accepted sockets inherit it
    constexpr int backlog = 4096;
    if (bind_to(fd, address) == 0 && ::listen(fd, backlog) == 0) return fd;
    const int error = errno;
    ::close(fd);
    errno = error;
    return -1;
}

}  // namespace sallyport::bench
