#include "telemetry/format.hpp"

#include "telemetry/escape.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <ctime>

using namespace sallyport;
using namespace sallyport::telemetry;
using nlohmann::json;

namespace {

const WallTime noon{std::chrono::milliseconds{1772366400250}};  // 2026-03-01T12:00:00.250Z

Record unknown_name() {
    Record record;
    record.time = noon;
    record.listener = ":80";
    record.client = *SocketAddress::parse("198.51.100.7:50122");
    record.looked_for = "hq.exmaple.com";
    record.nearest = "hq.example.com";
    record.reason = Reason::service_unknown;
    return record;
}

Record forwarded_ldap() {
    Record record;
    record.time = noon;
    record.protocol = Protocol::ldap;
    record.listener = ":389";
    record.client = *SocketAddress::parse("198.51.100.7:50122");
    record.service = record.looked_for = "hq.example.com";
    record.target = "172.16.0.90:636";
    record.tls_target = true;
    record.verdict = Verdict::forwarded;
    record.bytes_in = 61;
    record.bytes_out = 14;
    record.duration = std::chrono::microseconds{12400};
    return record;
}

Record forwarded_http() {
    Record record = forwarded_ldap();
    record.protocol = Protocol::http;
    record.method = "GET";
    record.url = "/PBX0/MY?x=1";
    record.status = 200;
    return record;
}

Event reloaded() { return {noon, Level::warn, "configuration reloaded", {{"file", "a b.toml"}, {"services", "3"}}}; }

std::string text(const auto& what, TextStyle style = {}) {
    std::string out;
    append_text(out, what, style);
    return out;
}

std::string json_line(const auto& what) {
    std::string out;
    append_json(out, what, "edge-1");
    return out;
}

}  // namespace

TEST(TextLine, ReadsAsASentence) {
    Record malformed = unknown_name();
    malformed.looked_for = malformed.nearest = {};
    malformed.reason = Reason::peek_malformed;
    malformed.detail = "space before the colon";
    Record cut_short = forwarded_http();
    cut_short.reason = Reason::target_closed;
    const std::string start = "2026-03-01T12:00:00.250Z ";

    EXPECT_EQ(text(unknown_name()), start +
                                        "refused http 198.51.100.7:50122 hq.exmaple.com: service.unknown, "
                                        "no service has this name (nearest: hq.example.com)\n");
    EXPECT_EQ(text(malformed), start +
                                   "refused http 198.51.100.7:50122 -: peek.malformed, "
                                   "the message is not valid in this protocol (space before the colon)\n");
    EXPECT_EQ(text(forwarded_ldap()), start +
                                          "forwarded ldap 198.51.100.7:50122 hq.example.com -> 172.16.0.90:636, "
                                          "61 bytes in, 14 out, 12.4 ms\n");
    EXPECT_EQ(text(cut_short),
              start +
                  "forwarded http 198.51.100.7:50122 hq.example.com GET /PBX0/MY?x=1 -> 172.16.0.90:636, "
                  "200, 61 bytes in, 14 out, 12.4 ms: target.closed, "
                  "the target closed the connection before its answer was whole\n");
    EXPECT_EQ(text(reloaded()), start + "warning configuration reloaded: file=a b.toml, services=3\n");
}

TEST(TextLine, HasTheLocalTimeOfDayAndColorsOnATerminalOnly) {
    setenv("TZ", "UTC-2", 1);  // two hours east
    tzset();
    const std::string bare = text(reloaded(), {.terminal = true, .colors = false});
    const std::string colored = text(reloaded(), {.terminal = true, .colors = true});
    unsetenv("TZ");
    tzset();
    EXPECT_EQ(bare, "14:00:00.250 warning configuration reloaded: file=a b.toml, services=3\n");
    EXPECT_EQ(colored,
              "\x1b[2m14:00:00.250\x1b[0m \x1b[33mwarning\x1b[0m configuration reloaded: file=a b.toml, services=3\n");
}

TEST(JsonLine, HasTheShapeOfTheContract) {
    EXPECT_EQ(
        json_line(forwarded_ldap()),
        R"({"time":"2026-03-01T12:00:00.250Z","event":"record","node":"edge-1","protocol":"ldap","listener":":389",)"
        R"("client":"198.51.100.7:50122","service":"hq.example.com","looked_for":"hq.example.com",)"
        R"("target":"172.16.0.90:636","tls_client":false,"tls_target":true,"verdict":"forwarded","reason":"ok",)"
        R"("bytes_in":61,"bytes_out":14,"duration_ms":12.4})"
        "\n");

    const json http = json::parse(json_line(forwarded_http()));
    EXPECT_EQ(http["method"], "GET");
    EXPECT_EQ(http["url"], "/PBX0/MY?x=1");
    EXPECT_EQ(http["status"], 200);

    const json refused = json::parse(json_line(unknown_name()));
    EXPECT_EQ(refused["verdict"], "refused");
    EXPECT_EQ(refused["reason"], "service.unknown");
    EXPECT_EQ(refused["looked_for"], "hq.exmaple.com");
    EXPECT_EQ(refused["nearest"], "hq.example.com");
    for (const char* none : {"service", "target", "tls_target"}) EXPECT_TRUE(refused[none].is_null()) << none;

    const json event = json::parse(json_line(reloaded()));
    EXPECT_EQ(event,
              json::parse(R"({"time":"2026-03-01T12:00:00.250Z","event":"message","node":"edge-1","level":"warning",
                                     "message":"configuration reloaded","file":"a b.toml","services":"3"})"));
}

TEST(JsonLine, WritesDurationsAsPlainNumbers) {
    struct Case {
        Duration duration;
        const char* written;
    };
    const Case cases[] = {
        {Duration{0}, "\"duration_ms\":0}"},
        {std::chrono::microseconds{1}, "\"duration_ms\":0.001}"},
        {std::chrono::seconds{1000}, "\"duration_ms\":1000000}"},
        {std::chrono::hours{24 * 365}, "\"duration_ms\":31536000000}"},
    };
    for (const Case& c : cases) {
        Record record = forwarded_ldap();
        record.duration = c.duration;
        EXPECT_NE(json_line(record).find(c.written), std::string::npos) << json_line(record);
    }
}

TEST(Escape, LetsNoHostileTextLeaveItsPlace) {
    using namespace std::string_literals;
    struct Case {
        const char* name;
        std::string text;
        const char* for_people;
        const char* in_json;
    };
    const Case cases[] = {
        {"plain", "hq.example.com", "hq.example.com", R"("hq.example.com")"},
        {"a forged line", "a\r\nforwarded b", R"(a\x0d\x0aforwarded b)", R"("a\u000d\u000aforwarded b")"},
        {"a terminal's escape", "\x1b[2J", R"(\x1b[2J)", R"("\u001b[2J")"},
        {"NUL and DEL", "a\0\x7f"s, R"(a\x00\x7f)", R"("a\u0000\u007f")"},
        {"quote and backslash", "a\"b\\c", R"(a"b\\c)", R"("a\"b\\c")"},
        {"UTF-8", "z\xc3\xbcrich \xf0\x9f\x8d\x80", R"(z\xc3\xbcrich \xf0\x9f\x8d\x80)",
         "\"z\xc3\xbcrich \xf0\x9f\x8d\x80\""},
        {"a C1 control",
         "\xc2\x9b"
         "2J",
         R"(\xc2\x9b2J)", R"("\u009b2J")"},
        {"not UTF-8", "\xff\xfe", R"(\xff\xfe)", R"("\\xff\\xfe")"},
        {"cut in a sequence", "a\xe2\x82", R"(a\xe2\x82)", R"("a\\xe2\\x82")"},
        {"overlong slash", "\xc0\xaf", R"(\xc0\xaf)", R"("\\xc0\\xaf")"},
        {"a surrogate", "\xed\xa0\x80", R"(\xed\xa0\x80)", R"("\\xed\\xa0\\x80")"},
        {"past Unicode", "\xf4\x90\x80\x80", R"(\xf4\x90\x80\x80)", R"("\\xf4\\x90\\x80\\x80")"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        std::string people;
        append_printable(people, c.text);
        EXPECT_EQ(people, c.for_people);
        std::string quoted;
        append_json_string(quoted, c.text);
        EXPECT_EQ(quoted, c.in_json);
        EXPECT_TRUE(json::accept(quoted));
    }
}

TEST(Escape, HoldsForEveryTextOfARecord) {
    for (const RecordText& field : record_texts) {
        for (int byte = 0; byte < 256; ++byte) {
            const std::string hostile{'"', static_cast<char>(byte), '\n', '"'};
            Record record = forwarded_http();
            record.reason = Reason::target_closed;
            record.*field.member = hostile;
            const std::string line = json_line(record);
            ASSERT_TRUE(json::accept(line)) << line;
            ASSERT_EQ(line.find('\n'), line.size() - 1);
            const std::string sentence = text(record);
            ASSERT_EQ(sentence.find('\n'), sentence.size() - 1);
            ASSERT_EQ(sentence.find_first_of("\x1b\r\xff"), std::string::npos);
        }
    }
}
