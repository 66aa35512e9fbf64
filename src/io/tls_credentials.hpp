// What TLS and DTLS have in common. Servers: contexts that show a certificate, and which of them a client gets by the
// name it asks for (RFC 6066 section 3). Clients: whom they believe, and what they ask for. Internal to io/.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "crypto/credential.hpp"
#include "crypto/openssl.hpp"

#include <openssl/ssl.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sallyport::io {

using Context = std::unique_ptr<SSL_CTX, crypto::Release<SSL_CTX_free>>;

/// Makes the context show this certificate. The error says what is wrong with it.
Result<void> use(SSL_CTX* context, const crypto::Credential& credential);

struct ContextsByName {
    std::vector<Context> all;                           // the first is for whoever asks for no name of ours
    std::unordered_map<std::string, SSL_CTX*> by_name;  // "*.example.com" as it stands in the certificate

    void add(Context context, const std::vector<std::string>& names);
    /// @param name  lower-cased, without a trailing dot. Never null once there is one.
    SSL_CTX* find(const std::string& name) const;
};

/// Finds `name` in what a ClientHello offers by ALPN (RFC 7301 section 3.1), where OpenSSL may point to.
std::optional<Bytes> find_protocol(Bytes offered, std::string_view name);

/// Makes a client's context trust these authorities.
/// @param ca_pems  none: the system's trust store
/// @param verify  false: any certificate is taken
Result<void> believe(SSL_CTX* context, const std::vector<std::string>& ca_pems, bool verify);

/// Asks for `name` by SNI, and verifies it; of an IP address only the latter (RFC 6066 section 3).
void ask_for(SSL* ssl, const std::string& name, bool verify);

/// What is wrong with the certificate that the peer showed, where the handshake has just failed by that.
std::optional<std::string> certificate_problem(const SSL& ssl);

}  // namespace sallyport::io
