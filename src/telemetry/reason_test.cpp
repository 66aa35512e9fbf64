#include "telemetry/reason.hpp"

#include "telemetry/protocol.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>

using namespace sallyport::telemetry;

static_assert(code(Reason::service_unknown) == "service.unknown");
static_assert(find_reason("turn.peer_denied") == Reason::turn_peer_denied);
static_assert(!find_reason("service.unknow"));

TEST(Reasons, HaveUniqueCodesInOneStyleAndSayWhatToDo) {
    std::set<std::string_view> codes;
    for (const ReasonText& text : reasons) {
        SCOPED_TRACE(text.code);
        EXPECT_TRUE(codes.insert(text.code).second);
        EXPECT_EQ(find_reason(text.code), text.reason);
        EXPECT_EQ(text.code.find_first_not_of("abcdefghijklmnopqrstuvwxyz_."), std::string_view::npos);
        EXPECT_FALSE(text.cause.empty());
        EXPECT_EQ(text.remedy.empty(), text.reason == Reason::ok);
        for (const std::string_view sentence : {text.cause, text.remedy}) {
            EXPECT_FALSE(sentence.ends_with('.'));
            EXPECT_EQ(sentence.find('|'), std::string_view::npos) << "would break the table of the page";
        }
    }
}

TEST(Reasons, HoldEveryCodeOfTheContract) {
    for (const char* promised :
         {"service.unknown", "service.no_name",  "acl.denied",         "url.not_allowed",   "url.ambiguous",
          "cert.missing",    "cert.untrusted",   "cert.name_mismatch", "ban.active",        "peek.timeout",
          "peek.malformed",  "peek.too_large",   "tls.handshake",      "protocol.mismatch", "target.refused",
          "target.timeout",  "target.down",      "target.rejected",    "dns.refused",       "limit.connections",
          "push.not_apple",  "turn.peer_denied", "turn.quota",         "draining"}) {
        EXPECT_TRUE(find_reason(promised)) << promised;
    }
}

// After a change of the table: SALLYPORT_WRITE_DOCS=1 telemetry_test writes the page anew.
TEST(Reasons, AreThePageOfTheManual) {
    const std::string path = SALLYPORT_SOURCE_DIR "/docs/reasons.md";
    if (std::getenv("SALLYPORT_WRITE_DOCS") != nullptr) std::ofstream(path) << reasons_page();
    std::ifstream file(path);
    const std::string page{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(page, reasons_page());
}
