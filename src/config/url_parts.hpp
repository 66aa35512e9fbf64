// What URLs of servers have in common: user:password@host:port.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace sallyport::config {

struct UrlParts {
    std::string user = {};
    std::string password = {};
    std::string host = {};  // a name, or an address without brackets
    std::uint16_t port = 0;  // 0: none was given
    std::string_view path = {};  // what follows, from its slash on; a view of what was parsed
};

/// @param text  what stands behind "scheme://"
Result<UrlParts> parse_url_parts(std::string_view text);

}  // namespace sallyport::config
