#include "config/units.hpp"

#include <gtest/gtest.h>

using namespace sallyport;
using namespace std::chrono_literals;

TEST(Duration, IsAWholeNumberAndAUnit) {
    struct Case {
        const char* text;
        Duration value;
    };
    const Case cases[] = {
        {"0s", 0s}, {"500ms", 500ms}, {"30s", 30s},         {"10m", 10min},
        {"2h", 2h}, {"7d", 168h},     {"36525d", 876'600h}, {"007s", 7s},
    };
    for (const Case& c : cases) {
        const auto value = config::parse_duration(c.text);
        ASSERT_TRUE(value) << c.text;
        EXPECT_EQ(*value, c.value) << c.text;
    }
}

TEST(Duration, SaysWhatIsWrongWithTheRest) {
    struct Case {
        const char* text;
        const char* message;
        const char* hint;
    };
    const Case cases[] = {
        {"", "\"\" is not a duration", "a whole number and one of ms, s, m, h, d"},
        {"soon", "\"soon\" is not a duration", "a whole number and one of ms, s, m, h, d"},
        {"-1s", "\"-1s\" is not a duration", "a whole number and one of ms, s, m, h, d"},
        {"30", "\"30\" has no unit", "write \"30s\", say: a whole number and one of ms, s, m, h, d"},
        {"1.5s", "\"1.5s\" has an unknown unit", "a whole number and one of ms, s, m, h, d"},
        {"1 s", "\"1 s\" has an unknown unit", "a whole number and one of ms, s, m, h, d"},
        {"1S", "\"1S\" has an unknown unit", "a whole number and one of ms, s, m, h, d"},
        {"36526d", "\"36526d\" is too large", ""},
        {"99999999999999999999s", "\"99999999999999999999s\" is too large", ""},
    };
    for (const Case& c : cases) {
        const auto value = config::parse_duration(c.text);
        ASSERT_FALSE(value) << c.text;
        EXPECT_EQ(value.error(), (config::Complaint{c.message, c.hint})) << c.text;
    }
}

TEST(Duration, PrintsInItsLargestWholeUnit) {
    EXPECT_EQ(config::to_text(0s), "0s");
    EXPECT_EQ(config::to_text(90s), "90s");
    EXPECT_EQ(config::to_text(120s), "2m");
    EXPECT_EQ(config::to_text(48h), "2d");
    EXPECT_EQ(config::to_text(1500ms), "1500ms");
    EXPECT_EQ(config::to_text(1us), "1000ns");
}

TEST(Size, CountsInPowersOfTwoOnly) {
    EXPECT_EQ(config::parse_size("0B"), 0U);
    EXPECT_EQ(config::parse_size("64KiB"), 65'536U);
    EXPECT_EQ(config::parse_size("1MiB"), 1'048'576U);
    EXPECT_EQ(config::parse_size("4GiB"), 4'294'967'296U);
    for (const char* bad : {"", "64", "64kB", "64KB", "1MB", "1GB", "KiB", "-1B", "1.5GiB", "8589934592GiB"}) {
        EXPECT_FALSE(config::parse_size(bad)) << bad;
    }
    EXPECT_EQ(config::parse_size("64kB").error().hint, "a whole number and one of B, KiB, MiB, GiB");
}
