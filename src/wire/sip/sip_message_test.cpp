// Heads: what is read from them, and each way of being refused. Every case is also fed at every truncation.
#include "wire/sip/message.hpp"

#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

namespace sallyport::sip {
namespace {

using namespace std::string_literals;

// "INVITE sip:a, 3 fields, body 5" or "200 OK, ..."
std::string describe(const Message& message) {
    std::string out;
    if (message.is_request()) out = std::string(message.method) + " " + std::string(message.request_uri);
    if (message.is_response()) out = std::to_string(message.status) + " " + std::string(message.reason);
    return out + ", " + std::to_string(message.fields.size()) + " fields, body " + std::to_string(message.body_length);
}

std::string error_of(std::string_view bytes) {
    Message message;
    const auto result = parse_message(as_bytes(bytes), message);
    if (result.need_more()) return "need more";
    return result.complete() ? "complete" : std::string(text(result.error));
}

TEST(SipMessage, IsReadWholeAndEveryPrefixOfItAsksForMore) {
    struct Case {
        std::string_view name;
        std::string head;
        std::string_view read;
    };
    const Case cases[] = {
        {"the shortest", "OPTIONS sip:a SIP/2.0\r\n\r\n", "OPTIONS sip:a, 0 fields, body 0"},
        {"a body", "MESSAGE sip:a SIP/2.0\r\nContent-Length: 5\r\n\r\n", "MESSAGE sip:a, 1 fields, body 5"},
        {"a body, compact, blanks before the colon", "MESSAGE sip:a SIP/2.0\r\nL \t :  5 \r\n\r\n",
         "MESSAGE sip:a, 1 fields, body 5"},
        {"leading zeros in the length", "MESSAGE sip:a SIP/2.0\r\nl:005\r\n\r\n", "MESSAGE sip:a, 1 fields, body 5"},
        {"lengths that agree", "MESSAGE sip:a SIP/2.0\r\nl:5\r\nContent-Length: 05\r\n\r\n",
         "MESSAGE sip:a, 2 fields, body 5"},
        {"the longest body", "MESSAGE sip:a SIP/2.0\r\nl:16777216\r\n\r\n", "MESSAGE sip:a, 1 fields, body 16777216"},
        {"a type, and a length that says that nothing follows", "MESSAGE sip:a SIP/2.0\r\nc:x/y\r\nl:0\r\n\r\n",
         "MESSAGE sip:a, 2 fields, body 0"},
        {"a folded value", "OPTIONS sip:a SIP/2.0\r\nTo:\r\n <sip:a>\r\n\t;tag=x\r\n\r\n",
         "OPTIONS sip:a, 1 fields, body 0"},
        {"a folded length", "OPTIONS sip:a SIP/2.0\r\nl:\r\n 7\r\n\r\n", "OPTIONS sip:a, 1 fields, body 7"},
        {"an empty value", "OPTIONS sip:a SIP/2.0\r\ns :\r\n\r\n", "OPTIONS sip:a, 1 fields, body 0"},
        {"bytes above 127 in a value", "OPTIONS sip:a SIP/2.0\r\ns:\xC3\xA4\r\n\r\n",
         "OPTIONS sip:a, 1 fields, body 0"},
        {"control characters behind a backslash", "OPTIONS sip:a SIP/2.0\r\ns:\"\\\0\\\x07\"\r\n\r\n"s,
         "OPTIONS sip:a, 1 fields, body 0"},
        {"the version in lower case", "OPTIONS sip:a sip/2.0\r\n\r\n", "OPTIONS sip:a, 0 fields, body 0"},
        {"a scheme of its own", "OPTIONS x-y:z SIP/2.0\r\n\r\n", "OPTIONS x-y:z, 0 fields, body 0"},
        {"a key of the phone in the Request-URI", "INVITE sip:*21#@a SIP/2.0\r\n\r\n",
         "INVITE sip:*21#@a, 0 fields, body 0"},
        {"CSeq of the same method", "OPTIONS sip:a SIP/2.0\r\nCSeq: 2147483647\r\n OPTIONS\r\n\r\n",
         "OPTIONS sip:a, 1 fields, body 0"},
        {"a response", "SIP/2.0 200 OK\r\n\r\n", "200 OK, 0 fields, body 0"},
        {"a response without a phrase", "SIP/2.0 100 \r\n\r\n", "100 , 0 fields, body 0"},
        {"a response without a phrase and its blank", "SIP/2.0 699\r\n\r\n", "699 , 0 fields, body 0"},
        {"a response with a CSeq beyond bounds", "SIP/2.0 200 OK\r\nCSeq: 4294967296 INVITE\r\n\r\n",
         "200 OK, 1 fields, body 0"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        Message message;
        const std::string bytes = c.head + "more";
        const auto whole = parse_message(as_bytes(bytes), message);
        EXPECT_EQ(describe(message), c.read) << (whole.refused() ? text(whole.error) : "");
        ASSERT_TRUE(whole.complete());
        EXPECT_EQ(whole.length, c.head.size());
        for (std::size_t n = 0; n < c.head.size(); ++n) {
            EXPECT_TRUE(parse_message(as_bytes(c.head).first(n), message).need_more()) << n;
        }
    }
}

TEST(SipMessage, IsRefusedForWhatReadersWouldNotAgreeOn) {
    struct Case {
        std::string head;
        MessageError error;
    };
    const std::string start = "OPTIONS sip:a SIP/2.0\r\n";
    const Case cases[] = {
        {"\x16\x03\x01", MessageError::tls_hello},
        {"\x16\x03\x01" + std::string(5000, 'x'), MessageError::tls_hello},
        {"GET / HTTP/1.1\r\n", MessageError::bad_version},
        {"GET / XSIP/2.0\r\n", MessageError::bad_version},
        {"(OPTIONS sip:a SIP/2.0\r\n", MessageError::bad_method},
        {std::string(65, 'M') + " sip:a SIP/2.0\r\n", MessageError::bad_method},
        {"OPTIONS\tsip:a SIP/2.0\r\n", MessageError::bad_method},
        {" OPTIONS sip:a SIP/2.0\r\n", MessageError::bad_method},
        {"OPTIONS  sip:a SIP/2.0\r\n", MessageError::bad_request_uri},
        {"OPTIONS <sip:a> SIP/2.0\r\n", MessageError::bad_request_uri},
        {"OPTIONS sip:\"a\" SIP/2.0\r\n", MessageError::bad_request_uri},
        {"OPTIONS sip:\xC3\xA4 SIP/2.0\r\n", MessageError::bad_request_uri},
        {"OPTIONS a SIP/2.0\r\n", MessageError::bad_request_uri},
        {"OPTIONS sip: SIP/2.0\r\n", MessageError::bad_request_uri},
        {"OPTIONS sip:a; lr SIP/2.0\r\n", MessageError::bad_version},
        {"OPTIONS sip:a  SIP/2.0\r\n", MessageError::bad_version},
        {"OPTIONS sip:a SIP/2.0 \r\n", MessageError::bad_version},
        {"OPTIONS sip:a SIP/2\r\n", MessageError::bad_version},
        {"OPTIONS sip:a\r\n", MessageError::bad_request_uri},
        {"OPTIONS sip:a SIP/2.1\r\n\r\n", MessageError::unsupported_version},
        {"OPTIONS sip:a SIP/02.0\r\n\r\n", MessageError::unsupported_version},
        {"SIP/3.0 200 OK\r\n\r\n", MessageError::unsupported_version},
        {"SIP/2.0 099 No\r\n", MessageError::bad_status},
        {"SIP/2.0 700 No\r\n", MessageError::bad_status},
        {"SIP/2.0 20 No\r\n", MessageError::bad_status},
        {"SIP/2.0 4294967301 No\r\n", MessageError::bad_status},
        {"SIP/2.0 2x0 No\r\n", MessageError::bad_status},
        {"SIP/2.0  200 No\r\n", MessageError::bad_status},
        {"SIP/2.0 200 \x01\r\n", MessageError::control_character},
        {"OPTIONS sip:" + std::string(4096, 'a'), MessageError::start_line_too_long},
        {"\rOPTIONS", MessageError::bare_cr},
        {"\nOPTIONS", MessageError::bare_lf},
        {"OPTIONS sip:a SIP/2.0\n", MessageError::bare_lf},
        {start + "s:a\nb", MessageError::bare_lf},
        {start + "s:a\rb", MessageError::bare_cr},
        {start + "s:a\\\rb", MessageError::bare_cr},
        {start + "s:a\\\nb", MessageError::bare_lf},
        {start + "\n", MessageError::bare_lf},
        {start + "\rx", MessageError::bare_cr},
        {start + "s:a\0"s, MessageError::nul_byte},
        {start + "s:a\x07", MessageError::control_character},
        {start + "s:a\\\\\x07", MessageError::control_character},
        {start + "s:a\x7F", MessageError::control_character},
        {start + "s:a\r\n \r\n", MessageError::blank_fold},
        {start + "s:a\r\n\t \r\n", MessageError::blank_fold},
        {start + " s:a\r\n", MessageError::stray_fold},
        {start + ":a\r\n", MessageError::bad_name},
        {start + "s a\r\n", MessageError::bad_name},
        {start + "s\r\n", MessageError::bad_name},
        {start + "s(:a\r\n", MessageError::bad_name},
        {start + "s\r\n :a\r\n", MessageError::bad_name},
        {start + "l:\r\n\r\n", MessageError::bad_length},
        {start + "l:-1\r\n\r\n", MessageError::bad_length},
        {start + "l:+1\r\n\r\n", MessageError::bad_length},
        {start + "l:1 2\r\n\r\n", MessageError::bad_length},
        {start + "l:1, 1\r\n\r\n", MessageError::bad_length},
        {start + "l:0x1\r\n\r\n", MessageError::bad_length},
        {start + "l:16777217\r\n\r\n", MessageError::body_too_large},
        {start + "l:18446744073709551616\r\n\r\n", MessageError::body_too_large},
        {start + "l:1\r\nContent-Length:2\r\n\r\n", MessageError::several_lengths},
        {start + "c:application/sdp\r\n\r\n", MessageError::missing_length},
        {start + "CSeq: 1 INVITE\r\n\r\n", MessageError::bad_cseq},
        {start + "CSeq: 1 options\r\n\r\n", MessageError::bad_cseq},
        {start + "CSeq: 2147483648 OPTIONS\r\n\r\n", MessageError::bad_cseq},
        {start + "CSeq: 1OPTIONS\r\n\r\n", MessageError::bad_cseq},
        {start + "CSeq: OPTIONS\r\n\r\n", MessageError::bad_cseq},
        {start + "CSeq: 1 OPTIONS x\r\n\r\n", MessageError::bad_cseq},
        {start + "CSeq: 1 OPTIONS\r\nCSeq: 1 OPTIONS\r\n\r\n", MessageError::repeated_field},
        {start + "To: <sip:a>\r\nt: <sip:a>\r\n\r\n", MessageError::repeated_field},
        {start + "Call-ID: a\r\ni: a\r\n\r\n", MessageError::repeated_field},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(error_of(c.head), text(c.error)) << c.head;
        // Whatever comes behind it, it stays refused.
        EXPECT_EQ(error_of(c.head + "s:a\r\n\r\n"), text(c.error)) << c.head;
    }
}

TEST(SipMessage, BoundsTheHeadTheStartLineAndTheFields) {
    const std::string start = "OPTIONS sip:a SIP/2.0\r\n";
    const auto of_size = [&start](std::size_t size) {
        return start + "s:" + std::string(size - start.size() - 6, 'x') + "\r\n\r\n";
    };
    EXPECT_EQ(of_size(max_head).size(), max_head);
    EXPECT_EQ(error_of(of_size(max_head)), "complete");
    EXPECT_EQ(error_of(of_size(max_head + 1)), text(MessageError::head_too_large));
    EXPECT_EQ(error_of(of_size(max_head + 1).substr(0, max_head - 1)), "need more");
    EXPECT_EQ(error_of("\r\n\r\n" + of_size(max_head)), "complete") << "what leads does not count";

    const auto start_line_of = [](std::size_t size) {
        return "OPTIONS sip:" + std::string(size - 20, 'a') + " SIP/2.0\r\n\r\n";
    };
    EXPECT_EQ(error_of(start_line_of(max_start_line)), "complete");
    EXPECT_EQ(error_of(start_line_of(max_start_line + 1)), text(MessageError::start_line_too_long));

    std::string fields = start;
    for (std::size_t i = 0; i < FieldList::capacity; ++i) fields += "s:\r\n";
    EXPECT_EQ(error_of(fields + "\r\n"), "complete");
    EXPECT_EQ(error_of(fields + "s:\r\n\r\n"), text(MessageError::too_many_fields));
}

TEST(SipMessage, TellsHowManyLineEndsLead) {
    struct Case {
        std::string bytes;
        std::size_t leading;
        MessageResult::State state;
    };
    using State = MessageResult::State;
    const Case cases[] = {
        {"", 0, State::need_more},
        {"\r", 0, State::need_more},
        {"\r\n", 2, State::need_more},
        {"\r\n\r", 2, State::need_more},
        {"\r\n\r\n", 4, State::need_more},
        {"\r\n\r\n\r\n\r\n", 8, State::need_more},
        {"\r\n\r\nOPTIONS sip:a SIP/2.0\r\n\r\n", 4, State::complete},
        {"\r\nOPTIONS sip:a SIP/2.0\r\n\r\n", 2, State::complete},
        {"\r\n\rOPTIONS", 2, State::refused},
        {"\r\n\r\n(", 4, State::refused},
    };
    for (const Case& c : cases) {
        Message message;
        const auto result = parse_message(as_bytes(c.bytes), message);
        EXPECT_EQ(result.leading, c.leading) << c.bytes;
        EXPECT_EQ(result.state, c.state) << c.bytes;
        if (result.complete()) EXPECT_EQ(result.length, c.bytes.size());
    }
}

TEST(SipMessage, KeepsNamesAndValuesAsReceivedAndKnowsTheirKinds) {
    const std::string head =
        "OPTIONS sip:a SIP/2.0\r\nv:1\r\nVIA:2\r\nf:3\r\nFrom:4\r\nt:5\r\ni:6\r\nm:7\r\nl:0\r\nc:8\r\ne:9\r\nk:10\r\n"
        "s:11\r\nu:12\r\no:13\r\nr:14\r\nb:15\r\nx:16\r\nz:17\r\nAuthorization:18\r\nProxy-Authorization:19\r\n"
        "WWW-Authenticate:20\r\nproxy-authenticate:21\r\nContact: a\r\n  b \r\nVias:22\r\n\r\n";
    const std::vector<std::tuple<std::string_view, std::string_view, FieldKind>> expected = {
        {"v", "1", FieldKind::via},
        {"VIA", "2", FieldKind::via},
        {"f", "3", FieldKind::from},
        {"From", "4", FieldKind::from},
        {"t", "5", FieldKind::to},
        {"i", "6", FieldKind::call_id},
        {"m", "7", FieldKind::contact},
        {"l", "0", FieldKind::content_length},
        {"c", "8", FieldKind::content_type},
        {"e", "9", FieldKind::content_encoding},
        {"k", "10", FieldKind::supported},
        {"s", "11", FieldKind::subject},
        {"u", "12", FieldKind::allow_events},
        {"o", "13", FieldKind::event},
        {"r", "14", FieldKind::refer_to},
        {"b", "15", FieldKind::referred_by},
        {"x", "16", FieldKind::session_expires},
        {"z", "17", FieldKind::other},
        {"Authorization", "18", FieldKind::authorization},
        {"Proxy-Authorization", "19", FieldKind::proxy_authorization},
        {"WWW-Authenticate", "20", FieldKind::www_authenticate},
        {"proxy-authenticate", "21", FieldKind::proxy_authenticate},
        {"Contact", "a\r\n  b", FieldKind::contact},
        {"Vias", "22", FieldKind::other},
    };
    Message message;
    ASSERT_TRUE(parse_message(as_bytes(head), message).complete());
    ASSERT_EQ(message.fields.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const Field& field = message.fields[i];
        EXPECT_EQ(std::tuple(field.name, field.value, field.kind), expected[i]);
    }
}

TEST(SipMessage, LeavesWhatWasReadBeforeAnErrorForTheAnswer) {
    const std::string head = "OPTIONS sip:a SIP/7.0\r\nVia: SIP/2.0/TCP h\r\nCall-ID: x\r\nl: none\r\n\r\n";
    Message message;
    ASSERT_TRUE(parse_message(as_bytes(head), message).refused());
    EXPECT_TRUE(message.is_request());
    EXPECT_EQ(message.fields.size(), 3U);
}

TEST(SipMessage, DeservesTheStatusOfItsError) {
    EXPECT_EQ(status_for(MessageError::bad_length), 400);
    EXPECT_EQ(status_for(MessageError::unsupported_version), 505);
    EXPECT_EQ(status_for(MessageError::start_line_too_long), 414);
    EXPECT_EQ(status_for(MessageError::head_too_large), 513);
    EXPECT_EQ(status_for(MessageError::body_too_large), 413);
}

TEST(SipFields, AreTakenApartAtCommasOutsideQuotesAndBrackets) {
    struct Case {
        std::string_view list;
        std::vector<std::string_view> members;
    };
    const Case cases[] = {
        {"", {}},
        {" , ,", {}},
        {"a, b ,c", {"a", "b", "c"}},
        {"\"a,b\" <sip:x>, <sip:y,z>", {"\"a,b\" <sip:x>", "<sip:y,z>"}},
        {"\"a\\\",b\", c", {"\"a\\\",b\"", "c"}},
        {"<sip:\"a>, b", {"<sip:\"a>", "b"}},
        {"\"never closed, b", {"\"never closed, b"}},
        {"a\r\n , b", {"a", "b"}},
    };
    for (const Case& c : cases) {
        std::vector<std::string_view> members;
        std::string_view rest = c.list;
        while (const auto member = next_member(rest)) members.push_back(*member);
        EXPECT_EQ(members, c.members) << c.list;
    }
}

TEST(SipFields, GiveTheBranchOfTheTopmostVia) {
    const std::pair<std::string, std::string_view> cases[] = {
        {"SIP/2.0/TCP h;branch=z9hG4bKa", "z9hG4bKa"},
        {"SIP/2.0/TCP h;rport;Branch = z9hG4bKb ;x", "z9hG4bKb"},
        {"SIP/2.0/TCP [::1]:5060;branch=z9hG4bKc, SIP/2.0/TCP i;branch=z9hG4bKd", "z9hG4bKc"},
        {"SIP/2.0/TCP h, SIP/2.0/TCP i;branch=z9hG4bKd", ""},
        {"SIP/2.0/TCP h;;branch=z9hG4bKa", ""},
        {"SIP/2.0/TCP h;\r\n branch=\r\n z9hG4bKe", "z9hG4bKe"},
        {"", ""},
    };
    for (const auto& [via, branch] : cases) {
        const std::string head = "OPTIONS sip:a SIP/2.0\r\nv: " + via + "\r\nv: SIP/2.0/TCP x;branch=no\r\n\r\n";
        Message message;
        ASSERT_TRUE(parse_message(as_bytes(head), message).complete()) << via;
        EXPECT_EQ(top_branch(message), branch) << via;
    }
}

}  // namespace
}  // namespace sallyport::sip
