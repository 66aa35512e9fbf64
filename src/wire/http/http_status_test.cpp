#include "wire/http/status.hpp"

#include <gtest/gtest.h>

using namespace sallyport::http;

TEST(HttpStatus, ARefusedHeadHasAStatusWithAPhrase) {
    EXPECT_EQ(status_for(HeadError::bare_lf), 400);
    EXPECT_EQ(status_for(HeadError::connect), 400);
    EXPECT_EQ(status_for(HeadError::too_many_fields), 431);
    EXPECT_EQ(status_for(HeadError::unsupported_version), 505);
    EXPECT_EQ(status_for(HeadError::http2_preface), 505);
    EXPECT_EQ(reason_phrase(status_for(HeadError::too_many_fields)), "Request Header Fields Too Large");
    EXPECT_EQ(reason_phrase(299), "");
}
