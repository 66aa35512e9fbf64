// Names and passwords as keys are made of them: the profile OpaqueString (RFC 8265 section 4.2), as far as it goes
// without tables of Unicode.
#pragma once

#include <string>
#include <string_view>

namespace sallyport::turn {

/// Every space that is not ASCII's becomes one that is. Characters stay composed or decomposed as they are written: the
/// profile wants them composed (NFC), which keyboards and editors write anyway. Bytes that are no UTF-8 stay.
std::string opaque_string(std::string_view text);

}  // namespace sallyport::turn
