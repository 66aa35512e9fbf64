#include "turn/credentials.hpp"

#include "base/text.hpp"
#include "turn/opaque_string.hpp"

#include <chrono>
#include <utility>

namespace sallyport::turn {

namespace {

// "unix-time:name" counts as "name", so that a user who asks for new credentials has one quota; a time alone has no
// name to count by.
std::string_view quota_name(std::string_view user) {
    const auto colon = user.find(':');
    const std::string_view name = colon == std::string_view::npos ? std::string_view{} : user.substr(colon + 1);
    return name.empty() ? user : name;
}

}  // namespace

std::string userhash_of(std::string_view user, std::string_view realm) {
    const std::string text = std::string(user) + ":" + std::string(realm);
    const auto hash = crypto::sha256(as_bytes(text));
    return std::string(as_text(hash));
}

std::optional<std::int64_t> expiry_of(std::string_view user) {
    return parse_number<std::int64_t>(user.substr(0, user.find(':')));
}

std::string time_limited_password(std::string_view user, std::string_view secret, SecretHash hash) {
    if (hash == SecretHash::sha1) return crypto::to_base64(crypto::hmac_sha1(as_bytes(secret), {as_bytes(user)}));
    return crypto::to_base64(crypto::hmac_sha256(as_bytes(secret), as_bytes(user)));
}

Credentials::Credentials(const std::string& realm, std::vector<Account> accounts, Secrets secrets)
    : realm_(opaque_string(realm)), secrets_(std::move(secrets)) {
    for (const Account& written : accounts) {
        const Account account{opaque_string(written.name), opaque_string(written.password)};
        names_by_hash_.emplace(userhash_of(account.name, realm_), account.name);
        accounts_.emplace(
            account.name,
            Keys{account.name, long_term_key(PasswordAlgorithm::md5, account.name, realm_, account.password),
                 long_term_key(PasswordAlgorithm::sha256, account.name, realm_, account.password)});
    }
}

std::optional<Candidates> Credentials::find(std::string_view user, PasswordAlgorithm algorithm, WallTime now) const {
    if (const auto found = accounts_.find(std::string(user)); found != accounts_.end())
        return found->second.candidates(algorithm);
    if (secrets_.values.empty()) return std::nullopt;
    const auto expires = expiry_of(user);
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
    if (!expires || *expires <= seconds) return std::nullopt;
    Candidates out{std::string(user), std::string(quota_name(user)), {}};
    for (const std::string& secret : secrets_.values) {
        out.keys.push_back(long_term_key(algorithm, user, realm_, time_limited_password(user, secret, secrets_.hash)));
    }
    return out;
}

std::optional<Candidates> Credentials::find_hashed(std::string_view userhash, PasswordAlgorithm algorithm) const {
    const auto found = names_by_hash_.find(std::string(userhash));
    if (found == names_by_hash_.end()) return std::nullopt;
    return accounts_.at(found->second).candidates(algorithm);
}

}  // namespace sallyport::turn
