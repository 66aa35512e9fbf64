#include "io/tls_credentials.hpp"

#include "base/text.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

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
