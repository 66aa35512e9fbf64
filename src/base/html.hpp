// Text within HTML, for the pages that rooms write themselves.
#pragma once

#include <string>
#include <string_view>

namespace sallyport {

/// Text from outside, harmless within HTML; what is not printable ASCII becomes '?'.
std::string escape_html(std::string_view text);

}  // namespace sallyport
