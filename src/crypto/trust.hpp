// Whether a client's certificate is believed: the one judgement for handshakes and for those who ask beforehand.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"

#include <cstdint>
#include <string>
#include <vector>

struct asn1_string_st;
struct stack_st_X509;
struct x509_st;
struct x509_store_st;

namespace sallyport::crypto {

enum class Verdict : std::uint8_t {
    none,       // no certificate was shown
    trusted,
    expired,    // or not valid yet: it or one above it; but for that it would be trusted
    untrusted,  // issued by others, broken, too weak, or not made for clients
};

/// Adds every certificate of `ca_pems` to the store. An error when a text holds none.
Result<void> add_trusted(x509_store_st& store, const std::vector<std::string>& ca_pems);

/// Holds a client's certificate against the store, at `now`, with the issuers that came along (null: none). RFC 5280
/// section 6.1; every certificate in the store is an anchor, also one that others have issued: who trusts an
/// intermediate alone means that one.
/// @return one of OpenSSL's X509_V_ codes. A date is answered only where nothing else is wrong.
int judge_client(x509_store_st& store, x509_st& leaf, stack_st_X509* issuers, WallTime now);

/// What such a code means for a certificate that was shown.
Verdict verdict_of(long code);

/// OpenSSL's words for such a code; empty for the one that says all is well.
std::string detail_of(long code);

/// The whole subject as text by RFC 2253, printable ASCII alone: all else is escaped ("J\C3\B6rg"). What is longer than
/// 1024 bytes is cut and ends in "...".
std::string distinguished_name(const x509_st& certificate);

/// Whom a certificate is for, as a protocol may name its user: of the subjectAltName the DNS names, mail addresses and
/// URIs; where it has none of these kinds, the CN, if there is one CN alone (RFC 5922 section 7.1 puts the
/// subjectAltName first). As they stand there; a name with a NUL or another control character in it is nobody's.
std::vector<std::string> holder_names(const x509_st& certificate);

/// WallTime::min() for what is no time; beyond what WallTime can count, its nearest end.
WallTime wall_time(const asn1_string_st& time);

}  // namespace sallyport::crypto
