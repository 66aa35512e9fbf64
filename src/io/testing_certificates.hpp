// For tests alone: a certificate authority in memory, whose certificates need no file and hold for a day.
#pragma once

#include "base/address.hpp"
#include "crypto/credential.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace sallyport::io::testing {

/// What a certificate is to say. EC P-256; the common name, where none is given, is the first DNS name or else address.
struct Subject {
    std::vector<std::string> dns_names{};
    std::vector<IpAddress> ip_names{};
    std::chrono::seconds begins{-3600};  // from now
    std::chrono::seconds ends{86400};
    std::string common_name{};  // UTF-8
    std::string purpose{};  // extendedKeyUsage as OpenSSL writes it: "serverAuth"; empty: for anything
};

class Authority {
public:
    explicit Authority(const std::string& name) : key_(new_key()), certificate_(make(name, {}, *key_, nullptr)) {}

    /// Its own certificate, to be trusted.
    std::string pem() const { return certificate_pem(*certificate_); }

    /// A certificate with its key, signed by this authority. The chain is the leaf alone.
    crypto::Credential issue(const Subject& subject) const {
        const std::string name = !subject.common_name.empty() ? subject.common_name
                                 : !subject.dns_names.empty() ? subject.dns_names.front()
                                 : !subject.ip_names.empty()  ? subject.ip_names.front().to_string()
                                                              : "nobody";
        const auto key = new_key();
        const auto leaf = make(name, subject, *key, this);
        const auto now = std::chrono::system_clock::now();
        return {.name = name,
                .chain_pem = certificate_pem(*leaf),
                .key_pem = key_pem(*key),
                .dns_names = subject.dns_names,
                .ip_names = subject.ip_names,
                .not_before = now + subject.begins,
                .not_after = now + subject.ends};
    }

private:
    template <auto free>
    struct Free {
        template <class T>
        void operator()(T* it) const {
            free(it);
        }
    };
    using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
    using Certificate = std::unique_ptr<X509, Free<X509_free>>;
    using Memory = std::unique_ptr<BIO, Free<BIO_free>>;

    static void must(bool worked) {
        if (!worked) throw std::runtime_error("a test's certificate can't be made");
    }

    static Key new_key() {
        Key key(EVP_EC_gen("P-256"));
        must(key != nullptr);
        return key;
    }

    static void extend(X509& certificate, const Authority* issuer, int what, const std::string& value) {
        X509V3_CTX context;
        X509V3_set_ctx(&context, issuer == nullptr ? &certificate : issuer->certificate_.get(), &certificate, nullptr,
                       nullptr, 0);
        const std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>> extension(
            X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str()));
        must(extension && X509_add_ext(&certificate, extension.get(), -1) == 1);
    }

    static std::string alternative_names(const Subject& subject) {
        std::string out;
        for (const auto& name : subject.dns_names) out += (out.empty() ? "DNS:" : ",DNS:") + name;
        for (const auto& ip : subject.ip_names) out += (out.empty() ? "IP:" : ",IP:") + ip.to_string();
        return out;
    }

    // Without an issuer: signed by itself, an authority.
    static Certificate make(const std::string& name, const Subject& subject, EVP_PKEY& key, const Authority* issuer) {
        Certificate made(X509_new());
        must(made && X509_set_version(made.get(), X509_VERSION_3) == 1);
        static long serial = 0;
        ASN1_INTEGER_set(X509_get_serialNumber(made.get()), ++serial);
        X509_gmtime_adj(X509_getm_notBefore(made.get()), subject.begins.count());
        X509_gmtime_adj(X509_getm_notAfter(made.get()), subject.ends.count());
        X509_set_pubkey(made.get(), &key);
        const auto* text = reinterpret_cast<const unsigned char*>(name.c_str());
        X509_NAME_add_entry_by_NID(X509_get_subject_name(made.get()), NID_commonName, V_ASN1_UTF8STRING, text,
                                   static_cast<int>(name.size()), -1, 0);
        X509* signer = issuer == nullptr ? made.get() : issuer->certificate_.get();
        X509_set_issuer_name(made.get(), X509_get_subject_name(signer));
        extend(*made, issuer, NID_basic_constraints, issuer == nullptr ? "critical,CA:TRUE" : "critical,CA:FALSE");
        if (const auto names = alternative_names(subject); !names.empty())
            extend(*made, issuer, NID_subject_alt_name, names);
        if (!subject.purpose.empty()) extend(*made, issuer, NID_ext_key_usage, subject.purpose);
        must(X509_sign(made.get(), issuer == nullptr ? &key : issuer->key_.get(), EVP_sha256()) > 0);
        return made;
    }

    static std::string text_in(BIO& memory) {
        char* data = nullptr;
        const long size = BIO_get_mem_data(&memory, &data);
        return {data, static_cast<std::size_t>(size)};
    }
    static std::string certificate_pem(X509& certificate) {
        const Memory memory(BIO_new(BIO_s_mem()));
        must(PEM_write_bio_X509(memory.get(), &certificate) == 1);
        return text_in(*memory);
    }
    static std::string key_pem(EVP_PKEY& key) {
        const Memory memory(BIO_new(BIO_s_mem()));
        must(PEM_write_bio_PKCS8PrivateKey(memory.get(), &key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
        return text_in(*memory);
    }

    Key key_;
    Certificate certificate_;
};

}  // namespace sallyport::io::testing
