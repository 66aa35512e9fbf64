#include "io/dtls.hpp"

#include "base/text.hpp"
#include "crypto/hash.hpp"
#include "io/dtls_wire.hpp"
#include "io/tls_credentials.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace sallyport::io {

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
    SSL* ssl = SSL_new(contexts_->by_name.all.front().get());
    SSL_set_accept_state(ssl);
    return std::unique_ptr<DtlsSession>(new DtlsSession(ssl, contexts_));
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
