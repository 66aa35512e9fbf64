#include "certs/self_signed.hpp"

#include "base/text.hpp"
#include "certs/certificate.hpp"
#include "certs/load.hpp"

#include <fcntl.h>
#include <openssl/rand.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>

namespace sallyport::certs {

namespace {

namespace fs = std::filesystem;
using crypto::X509Ptr;

constexpr int days_of_validity = 365;
constexpr std::size_t longest_common_name = 64;  // RFC 5280 appendix A.1, ub-common-name
constexpr std::chrono::hours clock_difference{1};

struct Extension {
    int nid;
    std::string value;  // as openssl.cnf writes it
};

bool add_extension(X509& certificate, const Extension& extension) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, &certificate, &certificate, nullptr, nullptr, 0);
    const crypto::ExtensionPtr made(X509V3_EXT_conf_nid(nullptr, &context, extension.nid, extension.value.c_str()));
    return made && X509_add_ext(&certificate, made.get(), -1) == 1;
}

// Names become a part of OpenSSL's little configuration language: anything but a host name's characters stays out.
bool is_safe_name(std::string_view name) {
    constexpr std::string_view safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.*";
    return !name.empty() && name.find_first_not_of(safe) == std::string_view::npos;
}

std::string alternative_names(const std::vector<std::string>& names, const std::vector<IpAddress>& ips) {
    std::string text;
    const auto add = [&](const char* kind, const std::string& name) {
        if (!text.empty()) text += ',';
        text.append(kind).append(name);
    };
    for (const std::string& name : names) add("DNS:", name);
    for (const IpAddress& ip : ips) add("IP:", ip.to_string());
    return text;
}

bool set_serial(X509& certificate) {
    std::array<unsigned char, 16> bytes;  // RFC 5280 section 4.1.2.2: at most 20 octets, and positive
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) return false;
    bytes[0] = static_cast<unsigned char>((bytes[0] & 0x7F) | 0x40);
    const std::unique_ptr<BIGNUM, crypto::Release<BN_free>> number(
        BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
    return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(&certificate)) != nullptr;
}

bool set_validity(X509& certificate, int days, WallTime now) {
    using namespace std::chrono;
    const auto at = [](WallTime time) { return std::time_t{floor<seconds>(time).time_since_epoch().count()}; };
    return ASN1_TIME_set(X509_getm_notBefore(&certificate), at(now - clock_difference)) != nullptr &&
           ASN1_TIME_set(X509_getm_notAfter(&certificate), at(now + hours{24} * days)) != nullptr;
}

bool set_names(X509& certificate, const std::string& common_name) {
    X509_NAME* subject = X509_get_subject_name(&certificate);
    const auto* text = reinterpret_cast<const unsigned char*>(common_name.data());
    return X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_ASC, text, static_cast<int>(common_name.size()),
                                      -1, 0) == 1 &&
           X509_set_issuer_name(&certificate, subject) == 1;
}

bool fill(X509& certificate, EVP_PKEY& key, const std::string& alternative, const std::string& common_name, int days,
          WallTime now) {
    const bool head = X509_set_version(&certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
                      set_validity(certificate, days, now) && set_names(certificate, common_name) &&
                      X509_set_pubkey(&certificate, &key) == 1;
    if (!head) return false;
    for (const Extension& extension :
         {Extension{NID_basic_constraints, "critical,CA:FALSE"}, Extension{NID_key_usage, "critical,digitalSignature"},
          Extension{NID_ext_key_usage, "serverAuth,clientAuth"}, Extension{NID_subject_key_identifier, "hash"},
          Extension{NID_subject_alt_name, alternative}}) {
        if (!add_extension(certificate, extension)) return false;
    }
    return X509_sign(&certificate, &key, EVP_sha256()) > 0;
}

Error system_error(const std::string& what, const fs::path& file) {
    return {what + " " + file.string() + ": " + std::generic_category().message(errno)};
}

bool write_whole(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

void sync_directory(const fs::path& directory) {
    const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    ::fsync(fd);  // the file itself is safe; a lost rename would only cost the old name
    ::close(fd);
}

// Whole or not at all: a reader finds the old file or the new one, also after a power cut.
Result<void> write_atomically(const fs::path& file, std::string_view text) {
    std::string temporary = file.string() + ".XXXXXX";
    const int fd = ::mkostemp(temporary.data(), O_CLOEXEC);  // mode 0600 (mkstemp(3))
    if (fd < 0) return fail(system_error("cannot write beside", file));
    bool done = write_whole(fd, text) && ::fsync(fd) == 0;
    done = ::close(fd) == 0 && done && ::rename(temporary.c_str(), file.c_str()) == 0;
    if (done) {
        sync_directory(file.parent_path());
        return {};
    }
    const Error error = system_error("cannot write", file);
    ::unlink(temporary.c_str());
    return fail(error);
}

template <class T>
bool holds(const std::vector<T>& all, const T& one) {
    return std::ranges::find(all, one) != all.end();
}

bool is_still_good(const crypto::Credential& credential, const std::vector<std::string>& names,
                   const std::vector<IpAddress>& ips, WallTime now) {
    const auto named = [&](const std::string& name) {
        return holds(credential.dns_names, to_lower(name)) || covers(credential, name);
    };
    return now >= credential.not_before && now < credential.not_after && std::ranges::all_of(names, named) &&
           std::ranges::all_of(ips, [&](const IpAddress& ip) { return holds(credential.ip_names, ip); });
}

}  // namespace

Result<crypto::Credential> self_signed(const std::vector<std::string>& names, const std::vector<IpAddress>& ips,
                                       int days, WallTime now) {
    if ((names.empty() && ips.empty()) || days < 1)
        return fail("a certificate needs a name or an address, and a day to be valid");
    if (const auto bad = std::ranges::find_if_not(names, is_safe_name); bad != names.end()) {
        return fail("'" + *bad + "' can't stand in a certificate: it is not a host name");
    }
    const std::string first = names.empty() ? ips.front().to_string() : names.front();
    const crypto::KeyPtr key(EVP_EC_gen("P-256"));
    const X509Ptr certificate(X509_new());
    const bool made = key && certificate &&
                      fill(*certificate, *key, alternative_names(names, ips),
                           first.size() <= longest_common_name ? first : "sallyport", days, now);
    if (!made) return fail("cannot make a certificate for '" + first + "': " + crypto::last_error());

    return parse_credential(to_pem(*certificate), "self-signed certificate", to_pem(*key), "self-signed key");
}

Result<crypto::Credential> load_or_create(const fs::path& state_dir, const std::vector<std::string>& names,
                                          const std::vector<IpAddress>& ips, WallTime now) {
    const fs::path file = state_dir / self_signed_file;
    std::error_code error;
    if (fs::exists(file, error)) {
        const auto text = read_file(file);
        if (!text) return fail(text.error());
        auto kept = parse_credential(*text, file.string(), *text, file.string());
        if (!kept) return fail(kept.error().message + "; remove the file to have a new one made");
        if (is_still_good(*kept, names, ips, now)) return kept;
    }
    auto made = self_signed(names, ips, days_of_validity, now);
    if (!made) return made;
    if (const auto written = write_atomically(file, made->key_pem + made->chain_pem); !written)
        return fail(written.error());
    return made;
}

}  // namespace sallyport::certs
