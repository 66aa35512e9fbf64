#include "config/redis_url.hpp"

#include <gtest/gtest.h>

using namespace sallyport::config;

TEST(RedisUrl, NamesWhereAndWho) {
    const struct {
        const char* text;
        RedisUrl means;
    } cases[] = {
        {"redis://127.0.0.1:6379/0", {.user = "", .password = "", .host = "127.0.0.1", .port = 6379, .database = 0}},
        {"redis://cache.example", {.user = "", .password = "", .host = "cache.example", .port = 6379, .database = 0}},
        {"redis://:s%40cret@[::1]:7000/3",
         {.user = "", .password = "s@cret", .host = "::1", .port = 7000, .database = 3}},
        {"redis://edge:pw@h/", {.user = "edge", .password = "pw", .host = "h", .port = 6379, .database = 0}},
    };
    for (const auto& one : cases) {
        const auto url = parse_redis_url(one.text);
        ASSERT_TRUE(url) << one.text << url.error().message;
        EXPECT_EQ(*url, one.means) << one.text;
    }
}

TEST(RedisUrl, SaysWhatIsWrong) {
    for (const char* text : {"", "127.0.0.1:6379", "rediss://h", "redis://", "redis://h:0", "redis://h:x",
                             "redis://h/x", "redis://:%4@h", "redis://:%zz@h", "redis://[::1", "redis://:6379"})
        EXPECT_FALSE(parse_redis_url(text)) << text;
}
