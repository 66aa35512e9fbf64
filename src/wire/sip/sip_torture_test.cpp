// The torture test messages of RFC 4475 (tests/data/sip/rfc4475), each with what is made of it here, and why where that
// is more than the RFC asks or less.
#include "wire/sip/message.hpp"
#include "wire/sip/route.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace sallyport::sip {
namespace {

const std::filesystem::path folder = SALLYPORT_SOURCE_DIR "/tests/data/sip/rfc4475";

// What a gateway that routes by From and passes on everything else leaves to its target.
constexpr std::string_view targets_business =
    "changes neither where the message ends nor whom it is from: for the target";

struct Case {
    std::string_view name;
    std::string_view section;  // of RFC 4475
    std::string_view outcome;  // the host of From; in brackets, why there is none; "refused: " and the error
    std::string_view why = {};  // where the RFC calls the message invalid and it passes, or the other way round
};

constexpr Case cases[] = {
    // valid
    {"wsinv", "3.1.1.1", "example.com"},
    {"intmeth", "3.1.1.2", "example.com"},
    {"esc01", "3.1.1.3", "example.net"},
    {"escnull", "3.1.1.4", "example.com"},
    {"esc02", "3.1.1.5", "example.com"},
    {"lwsdisp", "3.1.1.6", "example.com"},
    {"longreq", "3.1.1.7", "example.net"},
    {"dblreq", "3.1.1.8", "example.com"},
    {"semiuri", "3.1.1.9", "example.org"},
    {"transports", "3.1.1.10", "example.com"},
    {"mpart01", "3.1.1.11", "example.com"},
    {"unreason", "3.1.1.12", "example.com"},
    {"noreason", "3.1.1.13", "example.com"},
    // invalid
    {"badinv01", "3.1.2.1", "example.net", targets_business},  // separators in Via and Contact
    {"clerr", "3.1.2.2", "example.net", "on a stream, the rest of the body is yet to come"},
    {"ncl", "3.1.2.3", "refused: the Content-Length is not a number"},
    {"scalar02", "3.1.2.4", "refused: the CSeq is not a number and the method of the request"},
    {"scalarlg", "3.1.2.5", "example.net", "a response is passed on even with a CSeq that matches no request"},
    {"quotbal", "3.1.2.6", "example.net", targets_business},  // a quote that is not closed in To
    {"ltgtruri", "3.1.2.7", "refused: the Request-URI is not a URI between single blanks"},
    {"lwsruri", "3.1.2.8", "refused: the first line has no valid SIP version"},
    {"lwsstart", "3.1.2.9", "refused: the Request-URI is not a URI between single blanks"},
    {"trws", "3.1.2.10", "refused: the first line has no valid SIP version"},
    {"escruri", "3.1.2.11", "example.net", targets_business},  // header fields in the Request-URI
    {"baddate", "3.1.2.12", "example.net", targets_business},  // a time zone in Date
    {"regbadct", "3.1.2.13", "example.com", targets_business},  // a Contact with '?' and no brackets
    {"badaspec", "3.1.2.14", "example.com", targets_business},  // blanks inside the brackets of To
    {"baddn", "3.1.2.15", "(the From field is not an address)"},
    {"badvers", "3.1.2.16", "refused: the version is not SIP/2.0"},
    {"mismatch01", "3.1.2.17", "refused: the CSeq is not a number and the method of the request"},
    {"mismatch02", "3.1.2.18", "refused: the CSeq is not a number and the method of the request"},
    {"bigcode", "3.1.2.19", "refused: the status is not a number from 100 to 699"},
    // well-formed, with something in them that their receiver must see
    {"badbranch", "3.2.1", "example.org"},
    {"insuf", "3.3.1", "(no From field)"},
    {"unkscm", "3.3.2", "example.net"},
    {"novelsc", "3.3.3", "example.net"},
    {"unksm2", "3.3.4", "(the From field has a URI that is neither sip nor sips)"},
    {"bext01", "3.3.5", "example.net"},
    {"invut", "3.3.6", "example.net"},
    {"regaut01", "3.3.7", "example.com"},
    {"multi01", "3.3.8", "refused: more than one To, Call-ID or CSeq"},
    {"mcl01", "3.3.9", "refused: Content-Lengths that differ"},
    {"bcast", "3.3.10", "example.com"},
    {"zeromf", "3.3.11", "example.net"},
    {"cparam01", "3.3.12", "example.com"},
    {"cparam02", "3.3.13", "example.com"},
    {"regescrt", "3.3.14", "example.com"},
    {"sdp01", "3.3.15", "example.net"},
    {"inv2543", "3.4.1", "refused: a Content-Type without a Content-Length",
     "the RFC has it over UDP; on a stream nothing tells where its body ends"},
};

std::string bytes_of(std::string_view name) {
    std::ifstream file(folder / (std::string(name) + ".dat"), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string outcome_of(std::string_view bytes) {
    Message message;
    const auto result = parse_message(as_bytes(bytes), message);
    if (result.need_more()) return "need more";
    if (result.refused()) return "refused: " + std::string(text(result.error));
    const auto name = route_name(message);
    return name ? std::string(name->host.text()) : "(" + std::string(text(name.error())) + ")";
}

bool is_invalid(const Case& c) { return c.section.starts_with("3.1.2."); }
bool is_valid(const Case& c) { return c.section.starts_with("3.1.1."); }
bool passes(const Case& c) { return !c.outcome.starts_with("refused") && !c.outcome.starts_with('('); }

TEST(SipTorture, EachMessageIsRoutedOrRefusedAsTheTableSays) {
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        const std::string bytes = bytes_of(c.name);
        EXPECT_EQ(outcome_of(bytes), c.outcome);
        if (is_invalid(c)) EXPECT_EQ(passes(c), !c.why.empty()) << "an exception has a reason";
        if (is_valid(c)) EXPECT_TRUE(passes(c)) << "no valid message is refused";
    }
}

TEST(SipTorture, NoPrefixOfAMessageThatPassesIsRefused) {
    for (const Case& c : cases) {
        if (c.outcome.starts_with("refused")) continue;
        const std::string bytes = bytes_of(c.name);
        const std::size_t head = bytes.find("\r\n\r\n") + 4;
        for (std::size_t n = 0; n < head; ++n) EXPECT_EQ(outcome_of(bytes.substr(0, n)), "need more") << c.name << n;
    }
}

TEST(SipTorture, EveryMessageOfTheFolderHasItsRow) {
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() != ".dat") continue;
        ++files;
        EXPECT_EQ(std::ranges::count(cases, entry.path().stem().string(), &Case::name), 1) << entry.path();
    }
    EXPECT_EQ(files, std::size(cases));
}

TEST(SipTorture, TheFirstMessageIsReadInAllItsParts) {
    const std::string bytes = bytes_of("wsinv");
    Message message;
    ASSERT_TRUE(parse_message(as_bytes(bytes), message).complete());
    EXPECT_EQ(message.body_length, 150U);
    EXPECT_EQ(top_branch(message), "390skdjuw");
    EXPECT_EQ(count(message.fields, FieldKind::via), 2U);
    const auto cseq = parse_cseq(find(message.fields, FieldKind::cseq)->value);
    ASSERT_TRUE(cseq);
    EXPECT_EQ(cseq->number, 9U);
    EXPECT_EQ(cseq->method, "INVITE");
}

TEST(SipTorture, TheSecondMessageBehindOneIsReadAfterTheLineEndsBetween) {
    const std::string bytes = bytes_of("dblreq");
    Message message;
    const auto first = parse_message(as_bytes(bytes), message);
    ASSERT_TRUE(first.complete());
    const auto second = parse_message(as_bytes(bytes).subspan(first.length), message);
    ASSERT_TRUE(second.complete());
    EXPECT_EQ(second.leading, 2U);
    EXPECT_EQ(route_name(message)->host.text(), "example.net");
    // Its body is three bytes longer in the RFC than it says.
    EXPECT_EQ(first.length + second.length + message.body_length + 3, bytes.size());
}

}  // namespace
}  // namespace sallyport::sip
