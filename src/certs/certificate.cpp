#include "certs/certificate.hpp"

#include "base/text.hpp"
#include "crypto/trust.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

namespace sallyport::certs {

namespace {

using crypto::KeyPtr;
using crypto::X509Ptr;

constexpr std::size_t max_file_size = std::size_t{1} << 20;  // bytes; the largest trust bundles have a quarter of it
constexpr int least_security_bits = 112;                      // RSA 2048, P-224: NIST SP 800-57 part 1, table 2

std::string_view view(const ASN1_STRING* text) {
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
            static_cast<std::size_t>(ASN1_STRING_length(text))};
}

// A name with a NUL or other bytes that no host name has is nobody's name: CVE-2009-2408.
bool is_host_name(std::string_view name) {
    return !name.empty() && std::ranges::all_of(name, [](char c) { return c > ' ' && c < '\x7f'; });
}

std::optional<IpAddress> ip_of(const ASN1_OCTET_STRING* octets) {
    const std::string_view bytes = view(octets);
    std::array<std::uint8_t, 16> network_order{};
    if (bytes.size() == 16) {
        std::memcpy(network_order.data(), bytes.data(), 16);
        return IpAddress::v6(network_order);
    }
    if (bytes.size() != 4) return std::nullopt;
    std::uint32_t host_order = 0;
    for (const char byte : bytes) host_order = host_order << 8 | static_cast<std::uint8_t>(byte);
    return IpAddress::v4(host_order);
}

std::string common_name(const X509& certificate) {
    const X509_NAME* subject = X509_get_subject_name(&certificate);
    const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0) return {};
    return std::string(view(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))));
}

bool same_name(const X509& a, const X509& b) {
    return X509_NAME_cmp(X509_get_subject_name(&a), X509_get_subject_name(&b)) == 0;
}

std::string quoted(const X509& certificate) { return "'" + subject_of(certificate) + "'"; }

Result<void> check_strength(const EVP_PKEY& key, const std::string& source) {
    if (EVP_PKEY_get_security_bits(&key) >= least_security_bits) return {};
    return fail(source + ": the key has " + std::to_string(EVP_PKEY_get_bits(&key)) + " bits (" +
                EVP_PKEY_get0_type_name(&key) +
                "), which is too short to be safe: use EC P-256, or RSA with 2048 bits or more");
}

Result<void> check_signature(X509& certificate, const std::string& source) {
    int security_bits = 0;
    const bool known = X509_get_signature_info(&certificate, nullptr, nullptr, &security_bits, nullptr) == 1;
    const bool self_issued = X509_check_issued(&certificate, &certificate) == X509_V_OK;
    if (self_issued || (known && security_bits >= least_security_bits)) return {};
    return fail(source + ": the certificate of " + quoted(certificate) +
                " is signed with a weak hash that clients refuse: have it issued again with SHA-256");
}

// Each certificate must have issued the one before it: TLS 1.2 asks for this order (RFC 5246 section 7.4.2).
Result<void> check_order(const std::vector<X509Ptr>& chain, const std::string& source) {
    for (std::size_t i = 1; i < chain.size(); ++i) {
        X509& child = *chain[i - 1];
        X509& issuer = *chain[i];
        const bool issued =
            X509_check_issued(&issuer, &child) == X509_V_OK && X509_verify(&child, X509_get0_pubkey(&issuer)) == 1;
        ERR_clear_error();
        if (issued) continue;
        if (same_name(child, issuer))
            return fail(source + ": " + quoted(child) + " stands in the chain twice: remove one");
        return fail(source + ": certificate " + std::to_string(i + 1) + ", " + quoted(issuer) +
                    ", did not issue certificate " + std::to_string(i) + ", " + quoted(child) +
                    ": put the server's certificate first, then each issuer in turn");
    }
    return {};
}

// Asked by OpenSSL for the password of an encrypted key.
int no_password(char*, int, int, void* asked) {
    *static_cast<bool*>(asked) = true;
    return -1;
}

}  // namespace

Result<std::string> read_file(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) {
        const std::string why = std::generic_category().message(errno);
        return fail("cannot read " + file.string() + ": " + why +
                    " (the user that the gateway runs as must be able to read it)");
    }
    std::string text(max_file_size + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (in.bad() || (in.fail() && !in.eof())) return fail("cannot read " + file.string() + ": is it a file?");
    text.resize(static_cast<std::size_t>(in.gcount()));
    if (text.size() > max_file_size)
        return fail(file.string() + " is larger than 1 MiB: that is no certificate or key file");
    return text;
}

Result<std::vector<X509Ptr>> parse_certificates(std::string_view pem, const std::string& source) {
    const crypto::BioPtr bio = crypto::bio_over(pem);
    std::vector<X509Ptr> certificates;
    while (X509* one = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) certificates.emplace_back(one);
    const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    const std::string error = crypto::last_error();
    if (!at_end) {
        return fail(source + ": certificate " + std::to_string(certificates.size() + 1) + " can't be read: " + error);
    }
    if (certificates.empty()) {
        return fail(source +
                    " holds no certificate in PEM form (\"-----BEGIN CERTIFICATE-----\"); one in DER form is "
                    "converted with: openssl x509 -inform DER");
    }
    return certificates;
}

Result<KeyPtr> parse_key(std::string_view pem, const std::string& source) {
    bool password_asked = false;
    KeyPtr key(PEM_read_bio_PrivateKey(crypto::bio_over(pem).get(), nullptr, no_password, &password_asked));
    const std::string error = crypto::last_error();
    if (key) return key;
    if (password_asked) {
        return fail(source +
                    ": the key is encrypted, and nobody is there to type its password: decrypt it with: openssl pkey");
    }
    if (pem.find("PRIVATE KEY-----") == std::string_view::npos)
        return fail(source + " holds no private key in PEM form (\"-----BEGIN PRIVATE KEY-----\")");
    return fail(source + ": the private key can't be read: " + error);
}

std::string to_pem(X509& certificate) {
    const crypto::BioPtr bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(bio.get(), &certificate);
    return crypto::text_of(*bio);
}

std::string to_pem(EVP_PKEY& key) {
    const crypto::BioPtr bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_PrivateKey(bio.get(), &key, nullptr, nullptr, 0, nullptr, nullptr);
    return crypto::text_of(*bio);
}

std::string subject_of(const X509& certificate) {
    if (std::string name = common_name(certificate); !name.empty()) return name;
    const crypto::BioPtr bio(BIO_new(BIO_s_mem()));
    X509_NAME_print_ex(bio.get(), X509_get_subject_name(&certificate), 0, XN_FLAG_RFC2253);
    std::string text = crypto::text_of(*bio);
    return text.empty() ? "(no subject)" : text;
}

WallTime not_before(const X509& certificate) { return crypto::wall_time(*X509_get0_notBefore(&certificate)); }
WallTime not_after(const X509& certificate) { return crypto::wall_time(*X509_get0_notAfter(&certificate)); }

std::string day_of(WallTime time) { return to_rfc3339(time).substr(0, 10); }

void read_names(const X509& certificate, crypto::Credential& credential) {
    const crypto::GeneralNamesPtr names(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
        if (name->type == GEN_DNS && is_host_name(view(name->d.dNSName))) {
            credential.dns_names.push_back(to_lower(view(name->d.dNSName)));
        } else if (const auto ip = name->type == GEN_IPADD ? ip_of(name->d.iPAddress) : std::nullopt) {
            credential.ip_names.push_back(*ip);
        }
    }
    if (names) return;
    const std::string name = common_name(certificate);
    if (const auto ip = IpAddress::parse(name))
        credential.ip_names.push_back(*ip);
    else if (is_host_name(name))
        credential.dns_names.push_back(to_lower(name));
}

Result<crypto::Credential> parse_credential(std::string_view chain_pem, const std::string& chain_source,
                                            std::string_view key_pem, const std::string& key_source) {
    const auto chain = parse_certificates(chain_pem, chain_source);
    if (!chain) return fail(chain.error());
    const auto key = parse_key(key_pem, key_source);
    if (!key) return fail(key.error());
    if (X509_check_private_key(chain->front().get(), key->get()) != 1) {
        ERR_clear_error();
        return fail(key_source + " is not the key of " + quoted(*chain->front()) + ", the first certificate in " +
                    chain_source +
                    ": the server's own certificate must stand first, and the key must be the one it was made with");
    }
    if (const auto strong = check_strength(**key, key_source); !strong) return fail(strong.error());
    if (const auto ordered = check_order(*chain, chain_source); !ordered) return fail(ordered.error());
    for (const X509Ptr& one : *chain) {
        if (const auto strong = check_signature(*one, chain_source); !strong) return fail(strong.error());
    }
    crypto::Credential credential;
    for (const X509Ptr& one : *chain) credential.chain_pem += to_pem(*one);
    credential.key_pem = to_pem(**key);
    read_names(*chain->front(), credential);
    credential.not_before = not_before(*chain->front());
    credential.not_after = not_after(*chain->front());
    return credential;
}

}  // namespace sallyport::certs
