#include "io/tls_credentials.hpp"

#include "base/address.hpp"
#include "base/text.hpp"
#include "crypto/trust.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace sallyport::io {

namespace {

Result<std::vector<X509*>> certificates_in(const std::string& pem) {
    std::vector<X509*> out;
    const crypto::BioPtr bio = crypto::bio_over(pem);
    while (X509* one = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) out.push_back(one);
    ERR_clear_error();  // the end of the text is reported as an error
    if (out.empty()) return fail("no certificate in PEM form");
    return out;
}

}  // namespace

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

std::optional<Bytes> find_protocol(Bytes offered, std::string_view name) {
    ByteReader reader(offered);
    while (const auto length = reader.u8()) {
        const auto one = reader.take(*length);
        if (!one) break;
        if (as_text(*one) == name) return one;
    }
    return std::nullopt;
}

Result<void> believe(SSL_CTX* context, const std::vector<std::string>& ca_pems, bool verify) {
    SSL_CTX_set_verify(context, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
    if (!ca_pems.empty()) return crypto::add_trusted(*SSL_CTX_get_cert_store(context), ca_pems);
    SSL_CTX_set_default_verify_paths(context);
    return {};
}

void ask_for(SSL* ssl, const std::string& name, bool verify) {
    const bool is_ip = IpAddress::parse(name).has_value();
    if (!name.empty() && !is_ip) SSL_set_tlsext_host_name(ssl, name.c_str());
    if (verify && is_ip)
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str());
    else if (verify)
        SSL_set1_host(ssl, name.c_str());
}

std::optional<std::string> certificate_problem(const SSL& ssl) {
    const long verified = SSL_get_verify_result(&ssl);
    const unsigned long code = ERR_peek_last_error();
    const bool failed = ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED;
    if (!failed || verified == X509_V_OK) return std::nullopt;
    return X509_verify_cert_error_string(verified);
}

void ContextsByName::add(Context context, const std::vector<std::string>& names) {
    for (const auto& name : names) by_name.try_emplace(to_lower(name), context.get());
    all.push_back(std::move(context));
}

SSL_CTX* ContextsByName::find(const std::string& name) const {
    if (const auto exact = by_name.find(name); exact != by_name.end()) return exact->second;
    const auto dot = name.find('.');
    const auto wild = dot == std::string::npos ? by_name.end() : by_name.find("*" + name.substr(dot));
    return wild == by_name.end() ? all.front().get() : wild->second;
}

}  // namespace sallyport::io
