#include "crypto/trust.hpp"

#include "base/text.hpp"
#include "crypto/openssl.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <new>
#include <optional>

namespace sallyport::crypto {

namespace {

using VerificationPtr = std::unique_ptr<X509_STORE_CTX, Release<X509_STORE_CTX_free>>;

constexpr int least_level = 2;              // 112 bits: RSA 2048, no SHA-1 (SSL_CTX_set_security_level(3))
constexpr std::size_t longest_name = 1024;  // bytes; RFC 5280 appendix A.1 bounds most parts at 64 characters

bool is_about_dates(long code) { return code == X509_V_ERR_CERT_HAS_EXPIRED || code == X509_V_ERR_CERT_NOT_YET_VALID; }

// @param now  nothing: dates do not matter.
int verify(X509_STORE& store, X509& leaf, STACK_OF(X509) * issuers, std::optional<WallTime> now) {
    const VerificationPtr verification(X509_STORE_CTX_new());
    if (!verification) throw std::bad_alloc();
    if (X509_STORE_CTX_init(verification.get(), &store, &leaf, issuers) != 1 ||
        X509_STORE_CTX_set_default(verification.get(), "ssl_client") != 1) {
        ERR_clear_error();
        return X509_V_ERR_UNSPECIFIED;
    }
    X509_VERIFY_PARAM* how = X509_STORE_CTX_get0_param(verification.get());
    X509_VERIFY_PARAM_set_auth_level(how, least_level);
    X509_VERIFY_PARAM_set_flags(how, X509_V_FLAG_PARTIAL_CHAIN);
    if (now)
        X509_VERIFY_PARAM_set_time(how, std::chrono::system_clock::to_time_t(*now));
    else
        X509_VERIFY_PARAM_set_flags(how, X509_V_FLAG_NO_CHECK_TIME);  // has no effect where a time is set
    const bool holds = X509_verify_cert(verification.get()) == 1;
    const int code = X509_STORE_CTX_get_error(verification.get());
    ERR_clear_error();
    if (!holds && code == X509_V_OK) return X509_V_ERR_UNSPECIFIED;
    return code;
}

void add_name(std::vector<std::string>& names, std::string_view name) {
    if (std::ranges::none_of(name, is_control) && !name.empty()) names.emplace_back(name);
}

void add_name(std::vector<std::string>& names, const ASN1_STRING& name) {
    add_name(names, {reinterpret_cast<const char*>(ASN1_STRING_get0_data(&name)),
                     static_cast<std::size_t>(ASN1_STRING_length(&name))});
}

// Of several CNs nobody knows which one was meant.
void add_common_name(std::vector<std::string>& names, const X509_NAME& subject) {
    const int at = X509_NAME_get_index_by_NID(&subject, NID_commonName, -1);
    if (at < 0 || X509_NAME_get_index_by_NID(&subject, NID_commonName, at) >= 0) return;
    unsigned char* utf8 = nullptr;
    const int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(&subject, at)));
    if (size < 0) return;
    add_name(names, std::string_view(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size)));
    OPENSSL_free(utf8);
}

}  // namespace

Result<void> add_trusted(X509_STORE& store, const std::vector<std::string>& ca_pems) {
    for (const std::string& pem : ca_pems) {
        const BioPtr bio = bio_over(pem);
        std::size_t count = 0;
        while (const X509Ptr one{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
            if (X509_STORE_add_cert(&store, one.get()) != 1) return fail("trusted CA: " + last_error());
            ++count;
        }
        ERR_clear_error();  // the end of the text is reported as an error
        if (count == 0) return fail("trusted CA: no certificate in PEM form");
    }
    return {};
}

int judge_client(X509_STORE& store, X509& leaf, STACK_OF(X509) * issuers, WallTime now) {
    const int code = verify(store, leaf, issuers, now);
    if (!is_about_dates(code)) return code;
    // OpenSSL stops at what it finds first; a forged certificate must not pass for one that merely is too old.
    const int but_for_dates = verify(store, leaf, issuers, std::nullopt);
    return but_for_dates == X509_V_OK ? code : but_for_dates;
}

Verdict verdict_of(long code) {
    if (code == X509_V_OK) return Verdict::trusted;
    return is_about_dates(code) ? Verdict::expired : Verdict::untrusted;
}

std::string detail_of(long code) { return code == X509_V_OK ? "" : X509_verify_cert_error_string(code); }

std::string distinguished_name(const X509& certificate) {
    const BioPtr bio(BIO_new(BIO_s_mem()));
    if (!bio) throw std::bad_alloc();
    X509_NAME_print_ex(bio.get(), X509_get_subject_name(&certificate), 0, XN_FLAG_RFC2253);
    std::string text = text_of(*bio);
    // RFC 2253's flags leave nothing else; a header field must not depend on that.
    std::ranges::replace_if(text, [](char c) { return c < ' ' || c > '~'; }, '?');
    if (text.size() > longest_name) text.replace(longest_name - 3, std::string::npos, "...");
    return text;
}

std::vector<std::string> holder_names(const X509& certificate) {
    std::vector<std::string> names;
    bool any = false;
    const GeneralNamesPtr alternatives(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
    for (int i = 0; alternatives && i < sk_GENERAL_NAME_num(alternatives.get()); ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(alternatives.get(), i);
        if (name->type != GEN_DNS && name->type != GEN_EMAIL && name->type != GEN_URI) continue;
        any = true;
        add_name(names, *name->d.ia5);  // the three are IA5 strings
    }
    if (!any) add_common_name(names, *X509_get_subject_name(&certificate));
    return names;
}

WallTime wall_time(const ASN1_TIME& time) {
    using namespace std::chrono;
    std::tm utc{};
    if (ASN1_TIME_to_tm(&time, &utc) != 1) return WallTime::min();
    const auto since_epoch = seconds{timegm(&utc)};
    // "99991231235959Z" says "never" (RFC 5280 section 4.1.2.5) and is beyond what nanoseconds in 64 bits can count.
    const auto last = duration_cast<seconds>(WallTime::max().time_since_epoch());
    const auto first = duration_cast<seconds>(WallTime::min().time_since_epoch());
    return WallTime{std::clamp(since_epoch, first, last)};
}

}  // namespace sallyport::crypto
