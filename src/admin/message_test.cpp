#include "admin/message.hpp"

#include <gtest/gtest.h>

#include <array>

using namespace sallyport;
using namespace sallyport::admin;

namespace {

TEST(Query, is_decoded_as_urls_carry_it) {
    const struct {
        std::string_view text;
        Query expected;
    } cases[] = {
        {"", {}},
        {"&&", {}},
        {"a=1", {{"a", "1"}}},
        {"a=1&b=2", {{"a", "1"}, {"b", "2"}}},
        {"tls", {{"tls", ""}}},
        {"a=b=c", {{"a", "b=c"}}},
        {"subject=sip%3Aalice%40example.com", {{"subject", "sip:alice@example.com"}}},
        {"say=one+two%20three%2Bfour", {{"say", "one two three+four"}}},
        {"%61=%C3%A9", {{"a", "\xC3\xA9"}}},
        {"nul=%00", {{"nul", std::string(1, '\0')}}},
    };
    for (const auto& row : cases) {
        const auto query = parse_query(row.text);
        ASSERT_TRUE(query) << row.text;
        EXPECT_EQ(*query, row.expected) << row.text;
    }
}

TEST(Query, that_can_be_read_in_two_ways_is_an_error) {
    for (const std::string_view text : {"a=1&a=2", "a=%", "a=%4", "a=%zz", "a=%-1", "%4=a", "a=1&%61=2"}) {
        EXPECT_FALSE(parse_query(text)) << text;
    }
}

TEST(Query, is_written_so_that_it_reads_back) {
    const std::array<std::pair<std::string_view, std::string_view>, 2> said = {
        {{"subject", "h323:bob+1@example.com?call&x=\xC3\xA9 %"}, {"tls", "true"}}};
    const std::string target = with_query("/api/v1/explain", said);
    EXPECT_TRUE(target.starts_with("/api/v1/explain?subject=h323%3Abob%2B1%40"));
    const auto query = parse_query(target.substr(target.find('?') + 1));
    ASSERT_TRUE(query);
    EXPECT_EQ(*query, (Query{{"subject", "h323:bob+1@example.com?call&x=\xC3\xA9 %"}, {"tls", "true"}}));
    EXPECT_EQ(with_query("/livez", {}), "/livez");
}

TEST(Problem, is_told_as_rfc_9457_has_it) {
    const Response response = problem_response(
        {.status = 422, .detail = "no", .reason = telemetry::Reason::draining, .more = {{"errors", {{{"line", 3}}}}}});
    EXPECT_EQ(response.status, 422U);
    EXPECT_EQ(response.content_type, "application/problem+json");
    EXPECT_EQ(nlohmann::json::parse(response.body), nlohmann::json::parse(R"({"type":"about:blank","status":422,
        "title":"Unprocessable Content","detail":"no","reason":"draining","errors":[{"line":3}]})"));
}

TEST(Json, replaces_what_is_not_utf_8) { EXPECT_EQ(to_text({{"name", "a\xFFz"}}), "{\"name\":\"a\xEF\xBF\xBDz\"}"); }

TEST(Answer, has_the_same_head_with_and_without_its_body) {
    Response response = text_response("ok\n");
    response.fields.emplace_back("Allow", "GET");
    const std::string whole = write_response(response, true, false);
    EXPECT_EQ(whole, write_response(response, true, true) + "ok\n");
    EXPECT_TRUE(whole.starts_with("HTTP/1.1 200 OK\r\n"));
    EXPECT_NE(whole.find("\r\nContent-Length: 3\r\n"), std::string::npos);
    EXPECT_NE(whole.find("\r\nAllow: GET\r\n"), std::string::npos);
    EXPECT_NE(whole.find("\r\nConnection: keep-alive\r\n\r\nok\n"), std::string::npos);
    EXPECT_NE(write_response(response, false, false).find("\r\nConnection: close\r\n"), std::string::npos);
}

}  // namespace
