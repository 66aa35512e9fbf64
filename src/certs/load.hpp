// Certificates and keys from files: what the configuration names, checked before a handshake needs it, with errors
// that name the file and what to do.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "crypto/credential.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::certs {

/// Reads a certificate chain and its key (both PEM; one file may hold both) and checks them: the key is the first
/// certificate's, each certificate was issued by the next one, keys and signatures are strong enough for today's
/// clients, and `now` is within the validity of each. The result's name is empty: the caller knows what it is called.
Result<crypto::Credential> load(const std::filesystem::path& chain_file, const std::filesystem::path& key_file,
                                WallTime now);

/// Whether a client that asks for `name` (a host name, or an IP address without brackets) is content with this
/// certificate: RFC 9525 section 6.3, without regard to case or to a trailing dot. A wildcard stands for exactly the
/// left-most label, and needs two labels after it.
bool covers(const crypto::Credential& credential, std::string_view name);

/// The certificates of a trust list, each as PEM text by itself. Certificate authorities and self-signed certificates
/// may be in it; anything else is an error. Of a bundle the expired ones are left out; a file with none that is valid
/// at `now` is an error.
Result<std::vector<std::string>> load_ca_pems(const std::vector<std::filesystem::path>& files, WallTime now);

}  // namespace sallyport::certs
