// A certificate of our own making, so that TLS works from the first start on, before an admin brings a real one.
#pragma once

#include "base/address.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "crypto/credential.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace sallyport::certs {

/// A fresh EC P-256 key and a certificate for it, signed with itself and valid from an hour before `now`.
/// @param names host names, "*.example.com" allowed; with `ips` at least one. @param days of validity, at least 1.
Result<crypto::Credential> self_signed(const std::vector<std::string>& names, const std::vector<IpAddress>& ips,
                                       int days, WallTime now);

/// The file within the state directory: key and certificate in one, mode 0600.
inline constexpr const char* self_signed_file = "self-signed.pem";

/// The certificate of our own in `state_dir`: made at the first start and kept; made anew, with a new key, when it has
/// expired or does not cover a name that is asked for now. It is valid for a year. A file that holds anything else
/// than what this function wrote is an error, never overwritten.
Result<crypto::Credential> load_or_create(const std::filesystem::path& state_dir, const std::vector<std::string>& names,
                                          const std::vector<IpAddress>& ips, WallTime now);

}  // namespace sallyport::certs
