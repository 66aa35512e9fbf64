// One end of a TCP connection, plain or under TLS as a client; never blocks.
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "base/address.hpp"
#include "generator/loop.hpp"

namespace sallyport::bench {

/// The client's side of TLS: does not verify (the peers' certificates are made for one run), one context a run.
class TlsClient {
public:
    /// @param resume keep the newest session and offer it; otherwise every handshake is a full one.
    explicit TlsClient(bool resume);

    SSL* make(int fd, const char* server_name) const;
    bool has_session() const { return session_ != nullptr; }

private:
    static int keep_session(SSL* ssl, SSL_SESSION* session);

    struct Free {
        void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
        void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
    };
    std::unique_ptr<SSL_CTX, Free> context_;
    std::unique_ptr<SSL_SESSION, Free> session_;
};

struct Io {
    enum class Kind { done, again, end, failed } kind;
    std::size_t bytes = 0;
};

class Stream {
public:
    Stream() = default;
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    ~Stream() { close(); }

    /// Begins to connect; writable means connected or failed (connect_error()). False: errno says why.
    bool connect(const SocketAddress& to, const SocketAddress& from);
    void adopt(int fd);
    /// The kernel keeps no more than about this much of what was written and not yet received.
    void limit_send_buffer(unsigned bytes) const;
    bool watch(const Loop& loop, Watcher& watcher) const { return loop.add(fd_, watcher); }

    int connect_error() const;
    void start_tls(const TlsClient& client, const char* server_name);
    Io handshake();
    bool offered_session() const { return offered_session_; }
    bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }

    Io read(std::span<char> into);
    /// Takes what is there, about `most` bytes of it, and throws it away: without copying it where it is plain.
    Io discard(std::span<char> scratch, std::size_t most = 4 * 1024 * 1024);
    Io write(std::string_view bytes);

    void finish();  // no more writing from here; plain only
    void reset();   // closes with RST
    void close();
    bool is_open() const { return fd_ >= 0; }

private:
    struct Free {
        void operator()(SSL* ssl) const { SSL_free(ssl); }
    };
    Io tls_result(int result) const;

    int fd_ = -1;
    bool offered_session_ = false;
    std::unique_ptr<SSL, Free> ssl_;
};

/// A listening socket, or -1 with errno.
int listen_on(const SocketAddress& address);

}  // namespace sallyport::bench
