// For tests alone: a TLS client that can be told what to be, handshakes, and conversations over any stream.
#pragma once

#include "crypto/credential.hpp"
#include "io/testing.hpp"
#include "io/testing_certificates.hpp"
#include "io/tls.hpp"

#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sallyport::io::testing {

/// A client's context beside ours, which offers what a test wants and believes every server.
class PeerContext {
public:
    struct Options {
        int version = 0;  // TLS1_1_VERSION and so on; 0: any
        const crypto::Credential* credential = nullptr;
    };
    struct Connection {
        std::string name{};   // SNI; empty: none is sent
        std::string alpn{};   // as on the wire: a length before each name
        bool resume = false;  // with the session of the connection before
    };

    explicit PeerContext(Options options) : context_(SSL_CTX_new(TLS_client_method())) {
        if (options.version != 0) {
            if (options.version < TLS1_2_VERSION) must(SSL_CTX_set_cipher_list(context_.get(), "ALL:@SECLEVEL=0") == 1);
            must(SSL_CTX_set_min_proto_version(context_.get(), options.version) == 1);
            must(SSL_CTX_set_max_proto_version(context_.get(), options.version) == 1);
        }
        if (options.credential != nullptr) show(*options.credential);
        SSL_CTX_set_app_data(context_.get(), this);
        SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(context_.get(), keep_session);
    }
    PeerContext(const PeerContext&) = delete;
    PeerContext& operator=(const PeerContext&) = delete;

    /// Puts a client session on `stream`; what is returned lives as long as that.
    SSL* attach(Stream& stream, const Connection& connection) const {
        SSL* ssl = SSL_new(context_.get());
        if (!connection.name.empty()) SSL_set_tlsext_host_name(ssl, connection.name.c_str());
        if (connection.resume && session_) SSL_set_session(ssl, session_.get());
        SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(connection.alpn.data()),
                            static_cast<unsigned>(connection.alpn.size()));
        stream.attach(std::make_unique<TlsSession>(ssl, false));
        return ssl;
    }

private:
    template <auto free>
    struct Free {
        template <class T>
        void operator()(T* it) const {
            free(it);
        }
    };

    static void must(bool worked) {
        if (!worked) throw std::runtime_error("a test's TLS client can't be made");
    }
    static int keep_session(SSL* ssl, SSL_SESSION* session) {
        static_cast<PeerContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)))->session_.reset(session);
        return 1;  // it is ours now
    }
    void show(const crypto::Credential& credential) {
        const auto memory = [](const std::string& pem) {
            return std::unique_ptr<BIO, Free<BIO_free>>(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
        };
        const std::unique_ptr<X509, Free<X509_free>> leaf(
            PEM_read_bio_X509(memory(credential.chain_pem).get(), nullptr, nullptr, nullptr));
        const std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>> key(
            PEM_read_bio_PrivateKey(memory(credential.key_pem).get(), nullptr, nullptr, nullptr));
        must(SSL_CTX_use_certificate(context_.get(), leaf.get()) == 1 &&
             SSL_CTX_use_PrivateKey(context_.get(), key.get()) == 1);
    }

    std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>> context_;
    std::unique_ptr<SSL_SESSION, Free<SSL_SESSION_free>> session_;
};

/// The common name of the certificate that the other side showed.
inline std::string peer_name(SSL* ssl) {
    char name[256] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(ssl)), NID_commonName, name, sizeof name);
    return name;
}

/// What ALPN came to; empty when to nothing.
inline std::string agreed_protocol(SSL* ssl) {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl, &name, &size);
    return {reinterpret_cast<const char*>(name), size};
}

struct Handshakes {
    Handshake near;
    Handshake far;
};

/// The handshake of one side; where it fails, the other side is told by the end of the stream.
inline Task<void> shake_hand(Stream& stream, Deadline deadline, Handshake& into) {
    into = co_await handshake(stream, deadline);
    if (into.failure != TlsFailure::none) stream.shutdown_write();
}

/// Both handshakes at once, of TLS sessions that are attached.
inline Task<Handshakes> shake_hands(Stream& near, Stream& far, Deadline deadline = Deadline::none) {
    Handshakes both;
    Scope scope(near.loop());
    scope.spawn(shake_hand(near, deadline, both.near));
    scope.spawn(shake_hand(far, deadline, both.far));
    co_await scope.join();
    co_return both;
}
inline Task<Handshakes> shake_hands(StreamPair& pair) { return shake_hands(pair.near, pair.far); }

inline std::shared_ptr<TlsServer> make_tls_server() {
    return *TlsServer::create(std::vector{Authority("Test CA").issue({.dns_names = {"a.example.com"}})}, {});
}
inline const TlsServer& tls_server() {
    static const auto made = make_tls_server();
    return *made;
}

inline constexpr int tls_versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

inline const PeerContext& client_of(int version) {
    static const PeerContext tls12({.version = TLS1_2_VERSION});
    static const PeerContext tls13({.version = TLS1_3_VERSION});
    return version == TLS1_2_VERSION ? tls12 : tls13;
}

inline SystemCalls with_recv(decltype(SystemCalls::recv) recv) {
    SystemCalls calls;
    calls.recv = recv;
    return calls;
}
inline SystemCalls with_send(decltype(SystemCalls::send) send) {
    SystemCalls calls;
    calls.send = send;
    return calls;
}

inline std::string noise(std::size_t size) {
    std::mt19937 random(1);
    std::string out(size, '\0');
    for (char& c : out) c = static_cast<char>(random());
    return out;
}

/// Ends the stream, and waits until that has left.
inline Task<void> ends(Stream& stream) {
    stream.shutdown_write();
    while (stream.blocked()) {
        const Wait waited = co_await stream.writable(Deadline::none);
        EXPECT_EQ(waited, Wait::ready);
        if (waited != Wait::ready || stream.flush() == Io::failed) break;
    }
}

inline Task<void> writes_in_pieces(Stream& stream, const std::string& what, std::size_t piece) {
    for (std::size_t at = 0; at < what.size(); at += piece) {
        const Wait waited = co_await stream.write_all(what.substr(at, piece), Deadline::none);
        EXPECT_EQ(waited, Wait::ready);
        if (waited != Wait::ready) break;
    }
    co_await ends(stream);
}

/// Everything until the end, `most` bytes a read. `end` is how it ended.
inline Task<std::string> reads_to_end(Stream& stream, std::size_t most, Io& end) {
    std::vector<std::byte> room(most);
    std::string out;
    for (;;) {
        const Got got = co_await stream.read_some(room, Deadline::none);
        end = got.io;
        if (got.io != Io::ok) co_return out;
        out += as_text(Bytes(room).first(got.bytes));
    }
}

inline Task<void> expects(Stream& stream, const std::string& what, std::size_t most) {
    Io end = Io::ok;
    const std::string got = co_await reads_to_end(stream, most, end);
    EXPECT_EQ(end, Io::eof);
    EXPECT_EQ(got.size(), what.size());
    EXPECT_TRUE(got == what);
}

}  // namespace sallyport::io::testing
