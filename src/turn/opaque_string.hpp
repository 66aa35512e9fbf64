// Names, passwords and realms as keys are made of them: the profile OpaqueString of PRECIS (RFC 8265 section 4.2).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sallyport::turn {

/// Bytes beyond which a text is left as it is: more than any attribute that is made of one may hold (RFC 8489 section
/// 14).
inline constexpr std::size_t most_opaque = 1024;

/// Every space that is not ASCII's becomes one that is, and what can be written composed is composed (NFC): two ways of
/// writing the same are the same then. Letters keep their case. Bytes that are no UTF-8 stay, and nothing is composed
/// beside them.
std::string opaque_string(std::string_view text);

}  // namespace sallyport::turn
