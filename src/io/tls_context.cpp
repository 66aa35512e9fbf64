// Contexts for both sides of TLS: what is offered, which certificate is shown, who is believed.
#include "base/text.hpp"
#include "crypto/hash.hpp"
#include "crypto/openssl.hpp"
#include "crypto/trust.hpp"
#include "io/tls.hpp"
#include "io/tls_bio.hpp"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstring>
#include <unordered_map>

namespace sallyport::io {

namespace {

struct FreeContext {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using Context = std::unique_ptr<SSL_CTX, FreeContext>;

// What holds for both sides. RELEASE_BUFFERS: 20 KB an idle connection instead of 37 (facts/performance.md, 2.4).
// NO_AUTO_CHAIN: what is shown is what the credential holds, not what the trust list would add at every handshake.
void set_common(SSL_CTX* context) {
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

Result<std::vector<X509*>> certificates_in(const std::string& pem) {
    std::vector<X509*> out;
    const crypto::BioPtr bio = crypto::bio_over(pem);
    while (X509* one = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) out.push_back(one);
    ERR_clear_error();  // the end of the text is reported as an error
    if (out.empty()) return fail("no certificate in PEM form");
    return out;
}

Result<void> use(SSL_CTX* context, const crypto::Credential& credential) {
    auto chain = certificates_in(credential.chain_pem);
    if (!chain) return fail("certificate '" + credential.name + "': " + chain.error().message);
    bool used = SSL_CTX_use_certificate(context, chain->front()) == 1;
    X509_free(chain->front());
    for (auto at = chain->begin() + 1; at != chain->end(); ++at) {
        if (used && SSL_CTX_add0_chain_cert(context, *at) == 1) continue;  // taken over
        used = false;
        X509_free(*at);
    }
    const crypto::BioPtr bio = crypto::bio_over(credential.key_pem);
    const crypto::KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
    if (!used || !key || SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
        return fail("certificate '" + credential.name + "' can't be used: " + crypto::last_error());
    }
    return {};
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

// Until HTTP/2 is spoken, http/1.1 is the only protocol that is agreed to; a client that offers others gets none.
int choose_alpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in, unsigned in_size,
                void*) {
    static constexpr unsigned char ours[] = "\x08http/1.1";
    unsigned char* chosen = nullptr;
    if (SSL_select_next_proto(&chosen, out_size, ours, sizeof ours - 1, in, in_size) != OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

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
    ByteReader reader(std::as_bytes(std::span(extension, size)));
    reader.u16();  // the length of the list
    while (const auto length = reader.u8()) {
        const auto name = reader.take(*length);
        if (!name) return false;
        if (as_text(*name) == "http/1.1" || as_text(*name) == "h2") return true;
    }
    return false;
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
    std::vector<Context> contexts;
    std::unordered_map<std::string, SSL_CTX*> by_name;  // "*.example.com" as it stands in the certificate
    std::shared_ptr<const TicketKeys> ticket_keys;
    std::function<bool(const ClientSaid&)> asks_for_certificate;
    Store trusted{X509_STORE_new()};
    Names trusted_names;
    std::string trusted_digest;

    SSL_CTX* find(const std::string& name) const {
        if (const auto exact = by_name.find(name); exact != by_name.end()) return exact->second;
        const auto dot = name.find('.');
        if (dot == std::string::npos) return nullptr;
        const auto wild = by_name.find("*" + name.substr(dot));
        return wild == by_name.end() ? nullptr : wild->second;
    }

    // Before OpenSSL looks at a session ticket: its callback for server names would be too late to refuse one.
    static int on_client_hello(SSL* ssl, int*, void* choice) {
        static_cast<const Choice*>(choice)->welcome(*ssl);
        return SSL_CLIENT_HELLO_SUCCESS;
    }
    void welcome(SSL& ssl) const {
        const std::string name = name_in_hello(ssl);
        SSL_CTX* chosen = find(name);
        SSL_set_SSL_CTX(&ssl, chosen == nullptr ? contexts.front().get() : chosen);
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

    // Says that the name was understood; who it is for was chosen before.
    static int on_server_name(SSL* ssl, int*, void*) {
        const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
        return name == nullptr ? SSL_TLSEXT_ERR_NOACK : SSL_TLSEXT_ERR_OK;
    }

    Result<void> trust(const Options& options) {
        asks_for_certificate = options.asks_for_certificate;
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
        SSL_CTX_set_alpn_select_cb(context.get(), choose_alpn, nullptr);
        SSL_CTX_set1_verify_cert_store(context.get(), trusted.get());
        SSL_CTX_set_client_CA_list(context.get(), SSL_dup_CA_list(trusted_names.get()));
        SSL_CTX_set_cert_verify_callback(context.get(), judge_shown, nullptr);
        if (auto used = use(context.get(), credential); !used) return used;
        for (const auto& name : credential.dns_names) by_name.try_emplace(to_lower(name), context.get());
        contexts.push_back(std::move(context));
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
    if (server->choice_->contexts.empty()) return fail("a TLS listener needs a certificate");
    return server;
}

std::unique_ptr<TlsSession> TlsServer::accept(int port_kind) const {
    return std::make_unique<TlsSession>(SSL_new(choice_->contexts.front().get()), true, choice_, port_kind);
}

TlsClient::TlsClient() = default;
TlsClient::~TlsClient() { SSL_CTX_free(context_); }

Result<std::shared_ptr<TlsClient>> TlsClient::create(Options options) {
    std::shared_ptr<TlsClient> client(new TlsClient);
    client->context_ = SSL_CTX_new(TLS_client_method());
    client->verify_ = options.verify;
    set_common(client->context_);
    if (options.ca_pems.empty())
        SSL_CTX_set_default_verify_paths(client->context_);
    else if (auto trusted = crypto::add_trusted(*SSL_CTX_get_cert_store(client->context_), options.ca_pems); !trusted)
        return std::unexpected(trusted.error());
    if (options.credential) {
        if (auto used = use(client->context_, *options.credential); !used) return std::unexpected(used.error());
    }
    SSL_CTX_set_verify(client->context_, options.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
    return client;
}

std::unique_ptr<TlsSession> TlsClient::connect(const std::string& name) const {
    SSL* ssl = SSL_new(context_);
    const bool is_ip = IpAddress::parse(name).has_value();
    if (!name.empty() && !is_ip)
        SSL_set_tlsext_host_name(ssl, name.c_str());  // RFC 6066 section 3: no literal addresses
    if (verify_ && is_ip)
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str());
    else if (verify_)
        SSL_set1_host(ssl, name.c_str());
    return std::make_unique<TlsSession>(ssl, false);
}

}  // namespace sallyport::io
