#include "io/dtls.hpp"

#include "base/text.hpp"
#include "crypto/hash.hpp"
#include "io/tls_credentials.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace sallyport::io {

// Both ends of a session's BIO, as far as they lie outside of OpenSSL: within a call, one datagram that has come, and
// where the datagrams of the answer go.
struct DtlsWire {
    Bytes in = {};
    const DtlsSession::Send* send = nullptr;
    SocketAddress client = {};
};

namespace {

constexpr long handshake_mtu = 1200;  // bytes of a datagram of ours: what no path to a client is too narrow for

DtlsWire& wire_of(BIO& bio) { return *static_cast<DtlsWire*>(BIO_get_data(&bio)); }

// A datagram is read whole or not at all, and what does not fit is lost, as with a socket.
int read(BIO* bio, char* out, int size) {
    BIO_clear_retry_flags(bio);
    const Bytes in = std::exchange(wire_of(*bio).in, {});
    if (in.empty()) {
        BIO_set_retry_read(bio);
        return -1;
    }
    const std::size_t count = std::min(in.size(), static_cast<std::size_t>(size));
    std::memcpy(out, in.data(), count);
    return static_cast<int>(count);
}

int write(BIO* bio, const char* in, int size) {
    BIO_clear_retry_flags(bio);
    const DtlsWire& wire = wire_of(*bio);
    if (wire.send != nullptr) (*wire.send)(std::as_bytes(std::span(in, static_cast<std::size_t>(size))));
    return size;
}

long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

using Method = std::unique_ptr<BIO_METHOD, decltype(&BIO_meth_free)>;

Method make_method() {
    Method method(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "sallyport datagrams"), &BIO_meth_free);
    BIO_meth_set_read(method.get(), read);
    BIO_meth_set_write(method.get(), write);
    BIO_meth_set_ctrl(method.get(), control);
    return method;
}

BIO* new_bio(DtlsWire& wire) {
    static const Method method = make_method();
    BIO* bio = BIO_new(method.get());
    BIO_set_data(bio, &wire);
    BIO_set_init(bio, 1);
    return bio;
}

}  // namespace

DtlsSession::DtlsSession(ssl_st* ssl, std::shared_ptr<const void> contexts)
    : contexts_(std::move(contexts)), wire_(std::make_unique<DtlsWire>()), ssl_(ssl) {
    BIO* bio = new_bio(*wire_);
    SSL_set_bio(ssl_, bio, bio);  // owned by ssl_ from here
    SSL_set_accept_state(ssl_);
    SSL_set_mtu(ssl_, handshake_mtu);
}

DtlsSession::~DtlsSession() { SSL_free(ssl_); }

void DtlsSession::receive(Bytes datagram, const Send& send, const std::function<void(Bytes data)>& take) {
    if (state_ == State::ended) return;
    ERR_clear_error();
    wire_->in = datagram;
    wire_->send = &send;
    if (state_ == State::shaking) shake_hands();
    std::array<std::byte, most_data> room;
    while (state_ == State::open) {
        const int size = SSL_read(ssl_, room.data(), static_cast<int>(room.size()));
        if (size <= 0) {
            if (SSL_get_error(ssl_, size) != SSL_ERROR_WANT_READ) state_ = State::ended;
            break;
        }
        take(Bytes(room).first(static_cast<std::size_t>(size)));
        wire_->send = &send;  // taking may have written, and so ended a call of its own
    }
    *wire_ = {.client = wire_->client};
}

void DtlsSession::shake_hands() {
    const int result = SSL_do_handshake(ssl_);
    if (result == 1)
        state_ = State::open;
    else if (SSL_get_error(ssl_, result) != SSL_ERROR_WANT_READ)
        state_ = State::ended;
}

void DtlsSession::write(Bytes data, const Send& send) {
    if (state_ != State::open || data.empty() || data.size() > most_data) return;
    ERR_clear_error();
    wire_->send = &send;
    SSL_write(ssl_, data.data(), static_cast<int>(data.size()));
    wire_->send = nullptr;
}

void DtlsSession::tick(const Send& send) {
    if (state_ != State::shaking) return;
    ERR_clear_error();
    wire_->send = &send;
    if (DTLSv1_handle_timeout(ssl_) < 0) state_ = State::ended;
    wire_->send = nullptr;
}

struct DtlsServer::Contexts {
    ContextsByName by_name;
    std::span<const std::string_view> protocols;
    std::array<std::byte, 32> secret{};

    crypto::Sha256 cookie_for(const SSL& ssl) const {
        const SocketAddress& client = wire_of(*SSL_get_rbio(&ssl)).client;
        const std::array port{static_cast<std::byte>(client.port >> 8), static_cast<std::byte>(client.port)};
        return crypto::hmac_sha256(secret, {std::as_bytes(std::span(client.ip.bytes())), Bytes(port)});
    }
    static const Contexts& of(const SSL& ssl) {
        return *static_cast<const Contexts*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(&ssl)));
    }
    static int make_cookie(SSL* ssl, unsigned char* out, unsigned* size) {
        const crypto::Sha256 cookie = of(*ssl).cookie_for(*ssl);
        std::memcpy(out, cookie.data(), cookie.size());
        *size = static_cast<unsigned>(cookie.size());
        return 1;
    }
    static int check_cookie(SSL* ssl, const unsigned char* in, unsigned size) {
        const crypto::Sha256 cookie = of(*ssl).cookie_for(*ssl);
        return crypto::constant_time_equal(std::as_bytes(std::span(in, size)), Bytes(cookie)) ? 1 : 0;
    }
    static int on_server_name(SSL* ssl, int*, void* contexts) {
        const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
        if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
        SSL_set_SSL_CTX(ssl, static_cast<const Contexts*>(contexts)->by_name.find(to_lower(name)));
        return SSL_TLSEXT_ERR_OK;
    }
    static int on_protocols(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                            unsigned in_size, void* contexts) {
        for (const std::string_view name : static_cast<const Contexts*>(contexts)->protocols) {
            const auto found = find_protocol(std::as_bytes(std::span(in, in_size)), name);
            if (!found) continue;
            *out = reinterpret_cast<const unsigned char*>(found->data());
            *out_size = static_cast<unsigned char>(found->size());
            return SSL_TLSEXT_ERR_OK;
        }
        return SSL_TLSEXT_ERR_NOACK;
    }

    Result<void> add(const crypto::Credential& credential) {
        Context context(SSL_CTX_new(DTLS_server_method()));
        SSL_CTX_set_min_proto_version(context.get(), DTLS1_2_VERSION);
        SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
        SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_QUERY_MTU |
                                               SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
        SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
        SSL_CTX_set_app_data(context.get(), this);
        SSL_CTX_set_cookie_generate_cb(context.get(), make_cookie);
        SSL_CTX_set_cookie_verify_cb(context.get(), check_cookie);
        SSL_CTX_set_tlsext_servername_callback(context.get(), on_server_name);
        SSL_CTX_set_tlsext_servername_arg(context.get(), this);
        SSL_CTX_set_alpn_select_cb(context.get(), on_protocols, this);
        if (auto used = use(context.get(), credential); !used) return used;
        by_name.add(std::move(context), credential.dns_names);
        return {};
    }
};

DtlsServer::DtlsServer() : contexts_(std::make_shared<Contexts>()) {}
DtlsServer::~DtlsServer() = default;

Result<std::shared_ptr<DtlsServer>> DtlsServer::create(std::span<const crypto::Credential> credentials,
                                                       Options options) {
    std::shared_ptr<DtlsServer> server(new DtlsServer);
    server->contexts_->protocols = options.protocols;
    crypto::fill_random(server->contexts_->secret);
    for (const auto& credential : credentials) {
        if (auto added = server->contexts_->add(credential); !added) return std::unexpected(added.error());
    }
    if (credentials.empty()) return fail("a DTLS listener needs a certificate");
    return server;
}

std::unique_ptr<DtlsSession> DtlsServer::make_spare() const {
    return std::unique_ptr<DtlsSession>(new DtlsSession(SSL_new(contexts_->by_name.all.front().get()), contexts_));
}

std::unique_ptr<DtlsSession> DtlsServer::accept(Bytes datagram, const SocketAddress& client,
                                                const DtlsSession::Send& send) {
    if (!begins(datagram)) return nullptr;
    if (spare_ == nullptr) spare_ = make_spare();
    ERR_clear_error();
    *spare_->wire_ = {.in = datagram, .send = &send, .client = client};
    BIO_ADDR* nobody = BIO_ADDR_new();  // the address is ours to know: OpenSSL only clears it
    const int result = DTLSv1_listen(spare_->ssl_, nobody);
    BIO_ADDR_free(nobody);
    *spare_->wire_ = {.client = client};
    if (result < 0) spare_ = nullptr;
    if (result <= 0) return nullptr;
    return std::exchange(spare_, nullptr);
}

// A record of type handshake in epoch 0 whose message is a ClientHello (RFC 6347 sections 4.1 and 4.2.2).
bool DtlsServer::begins(Bytes datagram) {
    constexpr std::size_t message_at = 13;
    return datagram.size() > message_at && datagram[0] == std::byte{22} && datagram[3] == std::byte{0} &&
           datagram[4] == std::byte{0} && datagram[message_at] == std::byte{1};
}

}  // namespace sallyport::io
