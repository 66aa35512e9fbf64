#include "certs/load.hpp"

#include "base/text.hpp"
#include "certs/certificate.hpp"

#include <algorithm>

namespace sallyport::certs {

namespace {

Result<void> check_validity(const X509& certificate, const std::string& source, WallTime now) {
    const std::string what = source + ": the certificate of '" + subject_of(certificate) + "' ";
    if (now > not_after(certificate)) {
        return fail(what + "expired on " + day_of(not_after(certificate)) +
                    ": renew it, and put the new one in its place");
    }
    if (now < not_before(certificate)) {
        return fail(what + "is not valid before " + day_of(not_before(certificate)) + ": is this node's clock right?");
    }
    return {};
}

bool wildcard_covers(std::string_view pattern, std::string_view name) {
    const std::string_view suffix = pattern.substr(1);  // ".example.com"
    if (suffix.find('.', 1) == std::string_view::npos || suffix.find('*') != std::string_view::npos) return false;
    const auto dot = name.find('.');
    return dot != std::string_view::npos && dot > 0 && equals_ignoring_case(name.substr(dot), suffix);
}

bool may_be_trusted(X509& certificate) {
    const bool self_signed = X509_check_issued(&certificate, &certificate) == X509_V_OK;
    return self_signed || X509_check_ca(&certificate) > 0;
}

// Adds the valid certificates of one file to `pems`.
Result<void> add_ca_pems(const std::filesystem::path& file, WallTime now, std::vector<std::string>& pems) {
    const auto text = read_file(file);
    if (!text) return fail(text.error());
    const auto certificates = parse_certificates(*text, file.string());
    if (!certificates) return fail(certificates.error());
    Result<void> last_fault;
    const std::size_t before = pems.size();
    for (const auto& certificate : *certificates) {
        if (!may_be_trusted(*certificate)) {
            return fail(file.string() + ": '" + subject_of(*certificate) +
                        "' is the certificate of a server or client, not of an authority: put its issuer's here");
        }
        const auto valid = check_validity(*certificate, file.string(), now);
        if (valid)
            pems.push_back(to_pem(*certificate));
        else
            last_fault = valid;
    }
    return pems.size() > before ? Result<void>{} : last_fault;
}

}  // namespace

Result<crypto::Credential> load(const std::filesystem::path& chain_file, const std::filesystem::path& key_file,
                                WallTime now) {
    const auto chain_pem = read_file(chain_file);
    if (!chain_pem) return fail(chain_pem.error());
    const auto key_pem = read_file(key_file);
    if (!key_pem) return fail(key_pem.error());
    auto credential = parse_credential(*chain_pem, chain_file.string(), *key_pem, key_file.string());
    if (!credential) return credential;
    const auto chain = parse_certificates(credential->chain_pem, chain_file.string());
    for (const auto& certificate : *chain) {
        if (const auto valid = check_validity(*certificate, chain_file.string(), now); !valid)
            return fail(valid.error());
    }
    return credential;
}

bool covers(const crypto::Credential& credential, std::string_view name) {
    if (const auto ip = IpAddress::parse(name))
        return std::ranges::find(credential.ip_names, *ip) != credential.ip_names.end();
    if (name.ends_with('.')) name.remove_suffix(1);
    return std::ranges::any_of(credential.dns_names, [&](const std::string& known) {
        return known.starts_with("*.") ? wildcard_covers(known, name) : equals_ignoring_case(known, name);
    });
}

Result<std::vector<std::string>> load_ca_pems(const std::vector<std::filesystem::path>& files, WallTime now) {
    std::vector<std::string> pems;
    for (const auto& file : files) {
        if (const auto added = add_ca_pems(file, now, pems); !added) return fail(added.error());
    }
    return pems;
}

}  // namespace sallyport::certs
