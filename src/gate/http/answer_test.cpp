// Our own answers, read back by our own parser.
#include "gate/http/answer.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sallyport::gate::http {
namespace {

using sallyport::http::Framing;
using sallyport::http::Method;
using sallyport::http::ResponseHead;
using namespace std::chrono_literals;

constexpr WallTime then = WallTime(784111777s);  // Sun, 06 Nov 1994 08:49:37 GMT

std::string_view value(const ResponseHead& head, std::string_view name) {
    const auto* field = find(head.fields, name);
    return field == nullptr ? "" : field->value;
}

TEST(Answer, HasTheStatusOfItsReasonAndTellsTheConnectionsFate) {
    struct Case {
        std::string_view reason;
        unsigned status;
        bool keeps_alive;
        std::string_view retry_after = "";
    };
    const Case cases[] = {
        {"service.unknown", 404, true},
        {"service.no_name", 400, true},
        {"url.not_allowed", 403, true},
        {"url.ambiguous", 400, true},
        {"acl.denied", 403, true},
        {"ban.active", 403, false},
        {"peek.malformed", 400, false},
        {"peek.too_large", 431, false},
        {"peek.timeout", 408, false},
        {"target.refused", 502, true},
        {"target.rejected", 502, true},
        {"target.malformed", 502, true},
        {"target.timeout", 504, true},
        {"target.down", 503, true, "10"},
        {"limit.connections", 503, false, "5"},
        {"draining", 503, false, "5"},
        {"no.such_reason", 500, false},
        {"target.closed", 502, true},
        {"target.stalled", 504, true},
        {"target.tls", 502, true},
        {"target.unreachable", 502, true},
        {"target.unresolved", 502, true},
        {"body.malformed", 400, false},
        {"protocol.unsupported", 501, false},
        {"tls.plain_on_tls_port", 400, false},
        {"tls.misdirected", 421, true},
        {"client.stalled", 408, false},
        {"limit.client", 503, false, "5"},
        {"limit.descriptors", 503, false, "5"},
        {"limit.service", 503, true, "5"},
        {"proxy.untrusted", 400, false},
    };
    ResponseHead head;
    for (const Case& c : cases) {
        SCOPED_TRACE(c.reason);
        for (const bool keep_alive : {true, false}) {
            const Answer answer = {.reason = c.reason, .cause = "because", .keep_alive = keep_alive, .time = then};
            const std::string bytes = write_answer(answer);
            const auto result = parse_response(as_bytes(bytes), Method::get, head);
            ASSERT_TRUE(result.complete());
            EXPECT_EQ(head.status, c.status);
            EXPECT_EQ(head.framing, Framing::of_length(bytes.size() - result.length));
            EXPECT_EQ(head.keep_alive, c.keeps_alive && keep_alive);
            EXPECT_EQ(keeps_alive(answer), head.keep_alive);
            EXPECT_EQ(value(head, "Retry-After"), c.retry_after);
            EXPECT_EQ(value(head, "Cache-Control"), "no-store");
            EXPECT_EQ(value(head, "Date"), "Sun, 06 Nov 1994 08:49:37 GMT");
            EXPECT_NE(bytes.find("<code>" + std::string(c.reason) + "</code>"), std::string::npos);
        }
    }
}

TEST(Answer, ToHeadIsTheSameHeadAlone) {
    Answer answer = {.reason = "service.unknown", .cause = "no service has this name", .time = then};
    const std::string full = write_answer(answer);
    answer.method = Method::head;
    const std::string head_only = write_answer(answer);
    EXPECT_TRUE(full.starts_with(head_only));
    EXPECT_TRUE(head_only.ends_with("\r\n\r\n"));
}

TEST(Answer, TakesAnotherStatusWhereTheCallerKnowsBetter) {
    const Answer answer = {.reason = "service.unknown", .cause = "c", .status = 421, .time = then};
    EXPECT_TRUE(write_answer(answer).starts_with("HTTP/1.1 421 Misdirected Request\r\n"));
}

TEST(Answer, EscapesWhatComesFromOutsideAndCutsItShort) {
    const std::string hostile = "<script>alert('1')</script>&\"\r\n\x80" + std::string(1000, 'x');
    const std::string bytes =
        write_answer({.reason = "service.unknown", .cause = "a<b", .looked_for = hostile, .time = then});
    EXPECT_NE(bytes.find("<p>A&lt;b.</p>"), std::string::npos);
    EXPECT_NE(bytes.find("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;&quot;???x"), std::string::npos);
    EXPECT_EQ(bytes.find("<script"), std::string::npos);
    EXPECT_EQ(bytes.find(std::string(200, 'x')), std::string::npos);
}

}  // namespace
}  // namespace sallyport::gate::http
