// What tells a wrong password from a first try (RFC 3261 sections 22.2 and 22.3): did the request present credentials,
// and does the challenge only want them renewed?
#pragma once

#include "wire/sip/message.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace sallyport::sip {

/// Does this request present credentials (Authorization or Proxy-Authorization)?
bool has_credentials(const Message& request);

inline constexpr std::size_t max_presented = 512;  // bytes: connections remember these
/// Stands for anything longer. Two of them are not the same.
inline constexpr std::string_view too_long_to_know{"\x03"};

/// Of what a request presents, that which tells one try from another: who, with which nonce (RFC 7616 section 3.4); of
/// a scheme without these, all of it. Empty where it presents nothing. Not fit for people: parted by control
/// characters.
std::string presented(const Message& request);

/// Does this challenge say that only the nonce was too old, not that the password was wrong (stale=true of RFC 7616
/// section 3.3)?
bool is_stale(const Message& response);

}  // namespace sallyport::sip
