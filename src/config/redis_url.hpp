// redis://[user][:password@]host[:port][/database]
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace sallyport::config {

struct RedisUrl {
    std::string user;      // empty: Redis's "default"
    std::string password;  // empty: none is asked for
    std::string host;      // a name or an address, without brackets
    std::uint16_t port = 6379;
    std::uint32_t database = 0;

    bool operator==(const RedisUrl&) const = default;
};

/// User and password may be percent-encoded (RFC 3986 section 2.1). The error says what is wrong, for people.
Result<RedisUrl> parse_redis_url(std::string_view text);

}  // namespace sallyport::config
