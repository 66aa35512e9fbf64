// Contexts for both sides of TLS: what is offered, which certificate is shown, who is believed.
#include "base/text.hpp"
#include "crypto/hash.hpp"
#include "crypto/openssl.hpp"
#include "crypto/trust.hpp"
#include "io/tls.hpp"
#include "io/tls_bio.hpp"
#include "io/tls_credentials.hpp"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

namespace sallyport::io {

namespace {

// What holds for both sides. RELEASE_BUFFERS: 20 KB an idle connection instead of 37 (facts/performance.md, 2.4).
// NO_AUTO_CHAIN: what is shown is what the credential holds, not what the trust list would add at every handshake.
void set_common(SSL_CTX* context) {
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

// RFC 5077 section 4: seal with AES-256-CBC and HMAC-SHA256 under keys that all loops share.
int seal_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                int sealing) {
    const auto* keys = static_cast<const TicketKeys*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    if (sealing == 1) {
        if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return -1;
        std::memcpy(name, keys->name.data(), keys->name.size());
    } else if (std::memcmp(name, keys->name.data(), keys->name.size()) != 0) {
        return 0;  // sealed before we started: a full handshake follows
    }
    char digest[] = "SHA256";
    auto* mac_key = const_cast<unsigned char*>(keys->mac_key.data());  // OSSL_PARAM is not const-correct
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, mac_key, keys->mac_key.size()),
                                 OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                 OSSL_PARAM_construct_end()};
    if (EVP_MAC_CTX_set_params(mac, params) != 1) return -1;
    return EVP_CipherInit_ex2(cipher, EVP_aes_256_cbc(), keys->cipher_key.data(), iv, sealing, nullptr) == 1 ? 1 : -1;
}

// Until HTTP/2 is spoken.
constexpr std::array<std::string_view, 1> http_alone{"http/1.1"};

// The name in a ClientHello's server_name (RFC 6066 section 3), lower-cased, without a trailing dot. Empty where there
// is none and where OpenSSL, which reads the extension later, will refuse it.
std::string name_in_hello(SSL& ssl) {
    const unsigned char* extension = nullptr;
    std::size_t size = 0;
    if (SSL_client_hello_get0_ext(&ssl, TLSEXT_TYPE_server_name, &extension, &size) != 1) return {};
    ByteReader reader(std::as_bytes(std::span(extension, size)));
    reader.u16();  // the length of the list, of which one entry was ever defined
    const auto type = reader.u8();
    const auto length = reader.u16();
    const auto bytes = length ? reader.take(*length) : std::nullopt;
    if (type != TLSEXT_NAMETYPE_host_name || !bytes || bytes->size() > TLSEXT_MAXLEN_host_name) return {};
    std::string name = to_lower(as_text(*bytes));
    if (name.ends_with('.')) name.pop_back();
    return name;
}

// Does the client offer one of HTTP's protocols by ALPN (RFC 7301 section 3.1)?
bool offers_http(SSL& ssl) {
    const unsigned char* extension = nullptr;
    std::size_t size = 0;
    constexpr unsigned kind = TLSEXT_TYPE_application_layer_protocol_negotiation;
    if (SSL_client_hello_get0_ext(&ssl, kind, &extension, &size) != 1) return false;
    if (size < 2) return false;
    const Bytes offered = std::as_bytes(std::span(extension, size)).subspan(2);  // behind the list's length
    return find_protocol(offered, "http/1.1") || find_protocol(offered, "h2");
}

std::string trust_digest(const std::vector<std::string>& ca_pems) {
    std::string text;
    for (const auto& pem : ca_pems) text += std::to_string(pem.size()) + ' ' + pem;
    return std::string(as_text(crypto::sha256(as_bytes(text))));
}

// Lets every certificate pass, and leaves what it is worth as the session's verify result, which tickets carry along.
int judge_shown(X509_STORE_CTX* shown, void*) {
    const int at = SSL_get_ex_data_X509_STORE_CTX_idx();
    const auto* ssl = static_cast<const SSL*>(X509_STORE_CTX_get_ex_data(shown, at));
    const WallTime now = session_of(*SSL_get_rbio(ssl)).wall();
    const int code = crypto::judge_client(*X509_STORE_CTX_get0_store(shown), *X509_STORE_CTX_get0_cert(shown),
                                          X509_STORE_CTX_get0_untrusted(shown), now);
    X509_STORE_CTX_set_error(shown, code);
    return 1;
}

using Store = std::unique_ptr<X509_STORE, crypto::Release<X509_STORE_free>>;

struct FreeNames {
    void operator()(STACK_OF(X509_NAME) * names) const { sk_X509_NAME_pop_free(names, X509_NAME_free); }
};
using Names = std::unique_ptr<STACK_OF(X509_NAME), FreeNames>;

// The subjects of a trust list, each once, for a CertificateRequest: browsers offer what those have issued. None when
// the field of at most 65535 bytes could not hold them (RFC 8446 section 4.2.4): then all are offered.
Names names_in(X509_STORE& store) {
    constexpr std::size_t most_bytes = 60'000;
    Names names(
        sk_X509_NAME_new([](const X509_NAME* const* a, const X509_NAME* const* b) { return X509_NAME_cmp(*a, *b); }));
    std::size_t bytes = 0;
    const STACK_OF(X509_OBJECT)* objects = X509_STORE_get0_objects(&store);
    for (int at = 0; at < sk_X509_OBJECT_num(objects); ++at) {
        const X509* one = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, at));
        if (one == nullptr) continue;
        X509_NAME* name = X509_get_subject_name(one);
        if (sk_X509_NAME_find(names.get(), name) >= 0) continue;
        sk_X509_NAME_push(names.get(), X509_NAME_dup(name));
        bytes += 2 + static_cast<std::size_t>(i2d_X509_NAME(name, nullptr));
    }
    if (bytes > most_bytes) names.reset(sk_X509_NAME_new_null());
    return names;
}

}  // namespace

std::shared_ptr<const TicketKeys> TicketKeys::random() {
    auto keys = std::make_shared<TicketKeys>();
    const bool got = RAND_bytes(keys->name.data(), static_cast<int>(keys->name.size())) == 1 &&
                     RAND_bytes(keys->cipher_key.data(), static_cast<int>(keys->cipher_key.size())) == 1 &&
                     RAND_bytes(keys->mac_key.data(), static_cast<int>(keys->mac_key.size())) == 1;
    if (!got) throw std::runtime_error("the system gives no random bytes for session ticket keys");
    return keys;
}

// Every certificate has a context of its own; SNI chooses among them (RFC 6066 section 3).
struct TlsServer::Choice {
    ContextsByName contexts;
    std::shared_ptr<const TicketKeys> ticket_keys;
    std::function<bool(const ClientSaid&)> asks_for_certificate;
    std::function<std::span<const std::string_view>(int)> protocols;
    Store trusted{X509_STORE_new()};
    Names trusted_names;
    std::string trusted_digest;

    // Before OpenSSL looks at a session ticket: its callback for server names would be too late to refuse one.
    static int on_client_hello(SSL* ssl, int*, void* choice) {
        static_cast<const Choice*>(choice)->welcome(*ssl);
        return SSL_CLIENT_HELLO_SUCCESS;
    }
    void welcome(SSL& ssl) const {
        const std::string name = name_in_hello(ssl);
        SSL_set_SSL_CTX(&ssl, contexts.find(name));
        const bool asked =
            asks_for_certificate && asks_for_certificate({.server_name = name,
                                                          .offers_http = offers_http(ssl),
                                                          .port_kind = session_of(*SSL_get_rbio(&ssl)).port_kind()});
        SSL_set_verify(&ssl, asked ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
        bind_session(ssl, asked, name);
    }

    // A resumed session brings its client certificate along as it was judged then: it is taken only where the same
    // question was asked and the same authorities are trusted, or resuming would pass by a change of trust. And only
    // under the same name (RFC 6066 section 3): for TLS 1.2, OpenSSL would answer SSL_get_servername by the old one.
    void bind_session(SSL& ssl, bool asked, const std::string& name) const {
        const std::string text = trusted_digest + (asked ? "asked " : "not asked ") + name;
        const crypto::Sha256 digest = crypto::sha256(as_bytes(text));
        static_assert(std::tuple_size_v<crypto::Sha256> <= SSL_MAX_SID_CTX_LENGTH);
        SSL_set_session_id_context(&ssl, reinterpret_cast<const unsigned char*>(digest.data()), digest.size());
    }

    static int on_protocols(SSL* ssl, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                            unsigned in_size, void* choice) {
        const auto& ours = static_cast<const Choice*>(choice)->protocols;
        const int port_kind = session_of(*SSL_get_rbio(ssl)).port_kind();
        for (const std::string_view name : ours ? ours(port_kind) : std::span<const std::string_view>(http_alone)) {
            const auto found = find_protocol(std::as_bytes(std::span(in, in_size)), name);
            if (!found) continue;
            *out = reinterpret_cast<const unsigned char*>(found->data());
            *out_size = static_cast<unsigned char>(found->size());
            return SSL_TLSEXT_ERR_OK;
        }
        return SSL_TLSEXT_ERR_NOACK;
    }

    // Says that the name was understood; who it is for was chosen before.
    static int on_server_name(SSL* ssl, int*, void*) {
        const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
        return name == nullptr ? SSL_TLSEXT_ERR_NOACK : SSL_TLSEXT_ERR_OK;
    }

    Result<void> trust(const Options& options) {
        asks_for_certificate = options.asks_for_certificate;
        protocols = options.protocols;
        trusted_digest = trust_digest(options.trusted_ca_pems);
        if (auto added = crypto::add_trusted(*trusted, options.trusted_ca_pems); !added) return added;
        trusted_names = names_in(*trusted);
        return {};
    }

    Result<void> add(const crypto::Credential& credential) {
        Context context(SSL_CTX_new(TLS_server_method()));
        set_common(context.get());
        SSL_CTX_set_num_tickets(context.get(), 1);
        SSL_CTX_set_app_data(context.get(), const_cast<TicketKeys*>(ticket_keys.get()));
        SSL_CTX_set_tlsext_ticket_key_evp_cb(context.get(), seal_ticket);
        SSL_CTX_set_tlsext_servername_callback(context.get(), on_server_name);
        SSL_CTX_set_client_hello_cb(context.get(), on_client_hello, this);
        SSL_CTX_set_alpn_select_cb(context.get(), on_protocols, this);
        SSL_CTX_set1_verify_cert_store(context.get(), trusted.get());
        SSL_CTX_set_client_CA_list(context.get(), SSL_dup_CA_list(trusted_names.get()));
        SSL_CTX_set_cert_verify_callback(context.get(), judge_shown, nullptr);
        if (auto used = use(context.get(), credential); !used) return used;
        contexts.add(std::move(context), credential.dns_names);
        return {};
    }
};

TlsServer::TlsServer() : choice_(std::make_shared<Choice>()) {}
TlsServer::~TlsServer() = default;

Result<std::shared_ptr<TlsServer>> TlsServer::create(std::span<const crypto::Credential> credentials, Options options) {
    std::shared_ptr<TlsServer> server(new TlsServer);
    server->choice_->ticket_keys = options.ticket_keys ? options.ticket_keys : TicketKeys::random();
    if (auto trusted = server->choice_->trust(options); !trusted) return std::unexpected(trusted.error());
    for (const auto& credential : credentials) {
        if (auto added = server->choice_->add(credential); !added) return std::unexpected(added.error());
    }
    if (server->choice_->contexts.all.empty()) return fail("a TLS listener needs a certificate");
    return server;
}

std::unique_ptr<TlsSession> TlsServer::accept(int port_kind) const {
    return std::make_unique<TlsSession>(SSL_new(choice_->contexts.all.front().get()), true, choice_, port_kind);
}

TlsClient::TlsClient() = default;
TlsClient::~TlsClient() { SSL_CTX_free(context_); }

Result<std::shared_ptr<TlsClient>> TlsClient::create(Options options) {
    std::shared_ptr<TlsClient> client(new TlsClient);
    client->context_ = SSL_CTX_new(TLS_client_method());
    client->verify_ = options.verify;
    set_common(client->context_);
    if (auto believed = believe(client->context_, options.ca_pems, options.verify); !believed)
        return std::unexpected(believed.error());
    if (options.credential) {
        if (auto used = use(client->context_, *options.credential); !used) return std::unexpected(used.error());
    }
    return client;
}

std::unique_ptr<TlsSession> TlsClient::connect(const std::string& name) const {
    SSL* ssl = SSL_new(context_);
    ask_for(ssl, name, verify_);
    return std::make_unique<TlsSession>(ssl, false);
}

}  // namespace sallyport::io
