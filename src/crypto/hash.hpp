// Hashes, message authentication, random bytes and base64: the few primitives that rooms need by themselves.
// They throw std::runtime_error only when OpenSSL itself is broken; no input makes them fail.
#pragma once

#include "base/bytes.hpp"

#include <array>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::crypto {

using Md5 = std::array<std::byte, 16>;
using Sha1 = std::array<std::byte, 20>;
using Sha256 = std::array<std::byte, 32>;

/// RFC 1321: for keys of protocols that know no better, and for nothing else.
Md5 md5(Bytes message);

/// FIPS 180-4.
Sha256 sha256(Bytes message);

/// RFC 2104 with SHA-256. @param key of any length.
Sha256 hmac_sha256(Bytes key, Bytes message);
/// Of a message that lies in pieces.
Sha256 hmac_sha256(Bytes key, std::initializer_list<Bytes> pieces);
/// RFC 2104 with SHA-1. Its collisions are no danger to an HMAC.
Sha1 hmac_sha1(Bytes key, std::initializer_list<Bytes> pieces);

/// Takes as long for any two of the same length, wherever they differ. Different lengths are unequal at once.
bool constant_time_equal(Bytes a, Bytes b);

/// Fills `room` from the system's generator, fit for keys.
void fill_random(MutableBytes room);

/// RFC 4648 section 4, with padding.
std::string to_base64(Bytes bytes);

/// The reverse, strictly: whole groups of four, padded, no blanks, no bits left over. Nothing for other text.
std::optional<std::vector<std::byte>> from_base64(std::string_view text);

}  // namespace sallyport::crypto
