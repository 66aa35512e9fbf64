// What goes into a status line (RFC 9110 section 15), for all who write one.
#pragma once

#include "wire/http/head.hpp"

#include <cstdint>
#include <string_view>

namespace sallyport::http {

/// The phrase of a status that this program sends itself; empty for any other.
std::string_view reason_phrase(unsigned status);

/// The status that a refused head deserves: 431 for too many fields, 505 for versions, else 400.
std::uint16_t status_for(HeadError error);

}  // namespace sallyport::http
