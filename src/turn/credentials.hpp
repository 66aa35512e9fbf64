// Who may relay: accounts with a password, and time-limited credentials that another server makes with a shared secret.
#pragma once

#include "base/time.hpp"
#include "crypto/hash.hpp"
#include "turn/integrity.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sallyport::turn {

/// How the password of a time-limited credential is made of its user name.
enum class SecretHash : std::uint8_t { sha1, sha256 };

/// What one user name and algorithm may be: more than one key while secrets are rotated.
struct Candidates {
    std::string user;  // as the client wrote it, or as its hash means it
    std::string quota_of;  // whom quotas count: the name behind the time of a time-limited one
    std::vector<Key> keys;
};

/// Never changes once it is made; a reload makes another.
class Credentials {
public:
    struct Account {
        std::string name;
        std::string password;
    };
    struct Secrets {
        std::vector<std::string> values;
        SecretHash hash = SecretHash::sha1;
    };

    /// Texts count as RFC 8265 says (OpaqueString).
    Credentials(const std::string& realm, std::vector<Account> accounts, Secrets secrets);

    const std::string& realm() const { return realm_; }
    bool empty() const { return accounts_.empty() && secrets_.values.empty(); }

    /// Nothing for an unknown name, and for a time-limited one whose time is over.
    std::optional<Candidates> find(std::string_view user, PasswordAlgorithm algorithm, WallTime now) const;
    /// @param userhash  of 32 bytes. Accounts alone can be told by it: it hides the time.
    std::optional<Candidates> find_hashed(std::string_view userhash, PasswordAlgorithm algorithm) const;

private:
    struct Keys {
        std::string name;
        Key md5;
        Key sha256;

        Candidates candidates(PasswordAlgorithm algorithm) const {
            return {name, name, {algorithm == PasswordAlgorithm::md5 ? md5 : sha256}};
        }
    };

    std::string realm_;
    std::unordered_map<std::string, Keys> accounts_;
    std::unordered_map<std::string, std::string> names_by_hash_;
    Secrets secrets_;
};

/// What a client that keeps its name to itself sends of it (RFC 8489 section 14.4).
std::string userhash_of(std::string_view user, std::string_view realm);

/// The password that belongs to a time-limited user name "unix-time:name": the base64 of an HMAC over the name.
std::string time_limited_password(std::string_view user, std::string_view secret, SecretHash hash);

/// The end of a time-limited user name's time, in seconds since 1970. Nothing for other names.
std::optional<std::int64_t> expiry_of(std::string_view user);

}  // namespace sallyport::turn
