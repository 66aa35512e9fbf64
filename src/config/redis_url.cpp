#include "config/redis_url.hpp"

#include "base/text.hpp"
#include "config/url_parts.hpp"

namespace sallyport::config {

Result<RedisUrl> parse_redis_url(std::string_view text) {
    constexpr std::string_view scheme = "redis://";
    if (!text.starts_with(scheme)) return fail("it begins with redis://, and goes on with host, port and database");
    const auto parts = parse_url_parts(text.substr(scheme.size()));
    if (!parts) return fail(parts.error());
    RedisUrl url{.user = parts->user, .password = parts->password, .host = parts->host};
    if (parts->port != 0) url.port = parts->port;
    const std::string_view number = parts->path.empty() ? parts->path : parts->path.substr(1);
    const auto database = parse_number<std::uint32_t>(number);
    if (!number.empty() && !database) return fail("behind / stands the number of a database");
    url.database = database.value_or(0);
    return url;
}

}  // namespace sallyport::config
