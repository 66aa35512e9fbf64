#include "io/dtls_client.hpp"

#include "io/tls_credentials.hpp"

#include <openssl/ssl.h>

namespace sallyport::io {

namespace {

// Each name behind a byte that is its length (RFC 7301 section 3.1).
std::string on_the_wire(std::span<const std::string_view> protocols) {
    std::string out;
    for (const std::string_view name : protocols) {
        out += static_cast<char>(name.size());
        out += name;
    }
    return out;
}

}  // namespace

DtlsClient::DtlsClient() : context_(SSL_CTX_new(DTLS_client_method())) {}
DtlsClient::~DtlsClient() { SSL_CTX_free(context_); }

Result<std::shared_ptr<DtlsClient>> DtlsClient::create(const Options& options) {
    std::shared_ptr<DtlsClient> client(new DtlsClient);
    client->verify_ = options.verify;
    SSL_CTX_set_min_proto_version(client->context_, DTLS1_2_VERSION);
    SSL_CTX_set_options(client->context_, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_QUERY_MTU);
    SSL_CTX_set_session_cache_mode(client->context_, SSL_SESS_CACHE_OFF);
    const std::string offered = on_the_wire(options.protocols);
    SSL_CTX_set_alpn_protos(client->context_, reinterpret_cast<const unsigned char*>(offered.data()),
                            static_cast<unsigned>(offered.size()));
    if (auto believed = believe(client->context_, options.ca_pems, options.verify); !believed)
        return std::unexpected(believed.error());
    return client;
}

std::unique_ptr<DtlsSession> DtlsClient::connect(const std::string& name) const {
    SSL* ssl = SSL_new(context_);
    SSL_set_connect_state(ssl);
    ask_for(ssl, name, verify_);
    return std::unique_ptr<DtlsSession>(new DtlsSession(ssl, nullptr));
}

}  // namespace sallyport::io
