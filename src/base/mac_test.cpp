#include "base/mac.hpp"

#include <gtest/gtest.h>

using namespace sallyport;

TEST(Mac, ReadsEveryWayItIsWritten) {
    for (const char* text : {"02:00:5e:10:00:0a", "02-00-5E-10-00-0A", "0200.5e10.000A", "02005e10000a"})
        EXPECT_EQ(canonical_mac(text), "02:00:5e:10:00:0a") << text;
}

TEST(Mac, RefusesWhatIsNone) {
    for (const char* text : {"", "02:00:5e:10:00", "02:00:5e:10:00:0a:0b", "02:00:5e:10:00:0g", "02:00:5e-10:00:0a",
                             "0200:5e:10:00:0a", "2:0:5e:10:0:a", "02:00:5e:10:00:0a:", ":02:00:5e:10:00:0a",
                             "02005e10000", "02005e10000abc", "020.05e.100.00a", "alice"})
        EXPECT_FALSE(canonical_mac(text)) << text;
}
