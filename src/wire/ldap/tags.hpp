// Tags of the parts of extended operations (RFC 4511 section 4.12), for those who read and write them.
#pragma once

#include "wire/ber/tag.hpp"

#include <cstdint>

namespace sallyport::ldap {

inline constexpr std::uint8_t request_name_tag = ber::context_primitive(0);
inline constexpr std::uint8_t request_value_tag = ber::context_primitive(1);
inline constexpr std::uint8_t response_name_tag = ber::context_primitive(10);

}  // namespace sallyport::ldap
