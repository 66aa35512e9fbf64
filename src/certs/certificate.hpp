// What is read out of X.509 certificates and keys, common to loading, making and trusting them. Private to certs/.
#pragma once

#include "base/address.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "crypto/credential.hpp"
#include "crypto/openssl.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::certs {

/// A PEM file's text. Errors name the file; more than 1 MiB is one.
Result<std::string> read_file(const std::filesystem::path& file);

/// All certificates of a PEM text, in its order. Fails when there is none or one can't be read.
/// @param source what errors call the text, usually the file's name.
Result<std::vector<crypto::X509Ptr>> parse_certificates(std::string_view pem, const std::string& source);

/// The first private key of a PEM text. Encrypted keys are refused: there is nobody to ask for a password.
Result<crypto::KeyPtr> parse_key(std::string_view pem, const std::string& source);

/// As PEM text, with nothing else that stood beside it.
std::string to_pem(X509& certificate);
std::string to_pem(EVP_PKEY& key);

/// The subject for people: its CN, or all of it.
std::string subject_of(const X509& certificate);

WallTime not_before(const X509& certificate);
WallTime not_after(const X509& certificate);

/// "2026-03-01": the day in UTC, for messages.
std::string day_of(WallTime time);

/// Fills in the names of a credential: those of subjectAltName, or the CN when there is none (RFC 9525 section 6.3
/// leaves the CN out; devices with old certificates still need it).
void read_names(const X509& certificate, crypto::Credential& credential);

/// Chain and key, held against each other; not against the clock. Of the texts only certificates and key are kept.
Result<crypto::Credential> parse_credential(std::string_view chain_pem, const std::string& chain_source,
                                            std::string_view key_pem, const std::string& key_source);

}  // namespace sallyport::certs
