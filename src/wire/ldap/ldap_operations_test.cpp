// Bind and extended requests, results, and the answers that are written here.
#include "wire/ber/testing.hpp"
#include "wire/ldap/answer.hpp"
#include "wire/ldap/bind.hpp"
#include "wire/ldap/extended.hpp"
#include "wire/ldap/message.hpp"

#include <gtest/gtest.h>

#include <string>

using namespace sallyport;
using namespace sallyport::ldap;
namespace encode = sallyport::ber::testing;

namespace {

std::string string(std::string_view value) { return encode::tlv(0x04, value); }
std::string simple(std::string_view password) { return encode::tlv(0x80, password); }
std::string sasl(std::string_view contents) { return encode::tlv(0xA3, contents); }
std::string bind(long version, std::string_view name, std::string_view authentication) {
    return encode::integer(version) + string(name) + std::string(authentication);
}

std::string say_bind(std::string_view operation) {
    const auto request = read_bind_request(as_bytes(operation));
    if (!request) return "! " + std::string(text(request.error()));
    return std::string(text(request->kind)) + "|" + std::to_string(request->version) + "|" +
           std::string(request->name) + "|" + std::string(as_text(request->password)) + "|" +
           std::string(request->mechanism) + (request->has_credentials ? "+" : "");
}

std::string say_extended(std::string_view operation) {
    const auto request = read_extended_request(as_bytes(operation));
    if (!request) return "! " + std::string(text(request.error()));
    return std::string(request->oid) + (request->has_value ? "+" : "") + (request->is_start_tls() ? " StartTLS" : "");
}

std::string say_result(std::string_view operation) {
    const auto response = read_extended_response(as_bytes(operation));
    if (!response) return "! " + std::string(text(response.error()));
    return std::to_string(response->result.code) + "|" + std::string(response->result.matched_dn) + "|" +
           std::string(response->result.diagnostic) + "|" + std::string(response->oid);
}

}  // namespace

TEST(LdapBind, TellsTheKindsOfRfc4513Apart) {
    struct Case {
        const char* name;
        std::string operation;
        const char* answer;
    };
    const Case cases[] = {
        {"simple", bind(3, R"(hq.example\guest)", simple("secret")),
         R"(a bind with name and password|3|hq.example\guest|secret|)"},
        {"anonymous", bind(3, "", simple("")), "an anonymous bind|3|||"},
        {"unauthenticated", bind(3, "cn=x,dc=hq", simple("")), "a bind with a name but no password|3|cn=x,dc=hq||"},
        {"a password alone", bind(3, "", simple("p")), "a bind with a password but no name|3||p|"},
        {"SASL without credentials", bind(3, "", sasl(string("EXTERNAL"))), "a SASL bind|3|||EXTERNAL"},
        {"SASL with credentials", bind(3, "cn=x", sasl(string("GSSAPI") + string("token"))),
         "a SASL bind|3|cn=x||GSSAPI+"},
        {"SASL with empty credentials", bind(3, "", sasl(string("PLAIN") + string(""))), "a SASL bind|3|||PLAIN+"},
        {"a SASL negotiation given up", bind(3, "", sasl(string(""))), "a SASL bind|3|||"},
        {"Active Directory's own choice", bind(3, "", encode::tlv(0x89, "NTLMSSP")),
         "a bind with an unknown kind of authentication|3|||"},
        {"version 2", bind(2, "cn=x", simple("p")), "a bind of another version than 3|2|cn=x|p|"},
        {"version 127", bind(127, "", simple("")), "a bind of another version than 3|127|||"},
        {"Kerberos of version 2", bind(2, "cn=x", encode::tlv(0x81, "k")), "a bind of another version than 3|2|cn=x||"},
        {"a component of a later version", bind(3, "a", simple("p")) + encode::tlv(0x84, "new"),
         "a bind with name and password|3|a|p|"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        EXPECT_EQ(say_bind(c.operation), c.answer);
    }
}

TEST(LdapBind, RefusesWhatIsMalformed) {
    struct Case {
        const char* name;
        std::string operation;
        const char* answer;
    };
    const Case cases[] = {
        {"nothing", "", "! an element that does not belong here"},
        {"version 0", bind(0, "a", simple("p")), "! a number that is out of range"},
        {"version 128", bind(128, "a", simple("p")), "! a number that is out of range"},
        {"version -3", bind(-3, "a", simple("p")), "! a number that is out of range"},
        {"a name in pieces", encode::integer(3) + encode::tlv(0x24, string("a")) + simple("p"),
         "! an OCTET STRING in pieces"},
        {"a password in pieces", bind(3, "a", encode::tlv(0xA0, string("p"))), "! an OCTET STRING in pieces"},
        {"SASL that is primitive", bind(3, "a", encode::tlv(0x83, "EXTERNAL")),
         "! an element that does not belong here"},
        {"no authentication", encode::integer(3) + string("a"), "! an element that is larger than what contains it"},
        {"a string in its place", bind(3, "a", string("p")), "! an element that does not belong here"},
        {"two passwords", bind(3, "a", simple("p") + simple("q")), "! something behind the last element"},
        {"a password and SASL", bind(3, "a", simple("p") + sasl(string("EXTERNAL"))),
         "! something behind the last element"},
        {"a stray octet", bind(3, "a", simple("p") + "x"), "! something behind the last element"},
        {"SASL without a mechanism", bind(3, "a", sasl("")), "! an element that does not belong here"},
        {"two credentials", bind(3, "a", sasl(string("X") + string("1") + string("2"))),
         "! something behind the last element"},
        {"credentials larger than SASL", bind(3, "a", sasl(string("X") + encode::octets("0405 61"))),
         "! an element that is larger than what contains it"},
        {"a password larger than the bind", bind(3, "a", encode::octets("8084 7fffffff")),
         "! an element that is larger than what contains it"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        EXPECT_EQ(say_bind(c.operation), c.answer);
    }
    const std::string good = bind(3, "a", sasl(string("X") + string("1")));
    for (std::size_t n = 0; n < good.size(); ++n)
        ASSERT_TRUE(say_bind(good.substr(0, n)).starts_with("! ")) << n << ": cut off, yet read";
}

TEST(LdapExtended, KnowsStartTls) {
    struct Case {
        const char* name;
        std::string operation;
        const char* answer;
    };
    const Case cases[] = {
        {"StartTLS", encode::tlv(0x80, "1.3.6.1.4.1.1466.20037"), "1.3.6.1.4.1.1466.20037 StartTLS"},
        {"StartTLS with a value that it has not", encode::tlv(0x80, "1.3.6.1.4.1.1466.20037") + encode::tlv(0x81, ""),
         "1.3.6.1.4.1.1466.20037+ StartTLS"},
        {"a change of password", encode::tlv(0x80, "1.3.6.1.4.1.4203.1.11.1") + encode::tlv(0x81, "x"),
         "1.3.6.1.4.1.4203.1.11.1+"},
        {"an OID that only begins so", encode::tlv(0x80, "1.3.6.1.4.1.1466.200371"), "1.3.6.1.4.1.1466.200371"},
        {"no name", encode::tlv(0x81, "x"), "! an element that does not belong here"},
        {"a name in pieces", encode::tlv(0xA0, string("1.2")), "! an OCTET STRING in pieces"},
        {"two names", encode::tlv(0x80, "1.2") + encode::tlv(0x80, "1.3"), "! something behind the last element"},
        {"a value larger than the request", encode::tlv(0x80, "1.2") + encode::octets("8105 61"),
         "! an element that is larger than what contains it"},
        {"a string behind it", encode::tlv(0x80, "1.2") + string("x"), "! something behind the last element"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        EXPECT_EQ(say_extended(c.operation), c.answer);
    }
}

TEST(LdapResults, AreReadWithWhatTheySay) {
    const std::string failed = encode::integer(49, 0x0A) + string("dc=hq") + string("no");
    struct Case {
        const char* name;
        std::string operation;
        std::string answer;
    };
    const Case cases[] = {
        {"a refusal", failed, "49|dc=hq|no|"},
        {"a code of four octets", encode::octets("0a03 010000") + string("") + string(""), "65536|||"},
        {"a referral and SASL credentials behind it",
         failed + encode::tlv(0xA3, string("ldap://x")) + encode::tlv(0x87, "token"), "49|dc=hq|no|"},
        {"a name of the response", failed + encode::tlv(0x8A, "1.3.6.1.4.1.1466.20036"),
         "49|dc=hq|no|1.3.6.1.4.1.1466.20036"},
        {"a long text", encode::integer(1, 0x0A) + string("") + string(std::string(600, 'd')),
         "1||" + std::string(512, 'd') + "|"},
        {"a code that is an INTEGER", encode::integer(49) + string("") + string(""),
         "! an element that does not belong here"},
        {"a negative code", encode::integer(-1, 0x0A) + string("") + string(""), "! a number that is out of range"},
        {"no text", encode::integer(0, 0x0A) + string(""), "! an element that does not belong here"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        EXPECT_EQ(say_result(c.operation), c.answer);
    }
}

TEST(LdapResults, HaveNames) {
    EXPECT_EQ(result_name(0), "success");
    EXPECT_EQ(result_name(49), "invalidCredentials");
    EXPECT_EQ(result_name(80), "other");
    for (const std::int32_t unused : {-1, 9, 15, 22, 31, 35, 37, 47, 55, 63, 70, 72, 79, 81, 4096}) {
        EXPECT_EQ(result_name(unused), "") << unused;
    }
}

TEST(LdapResults, AreClippedBetweenCharacters) {
    const std::string text = "ab\xC3\xA4\xE2\x82\xAC";  // two letters, one of two octets, one of three
    const std::size_t sizes[] = {0, 1, 2, 2, 4, 4, 4, 7, 7};
    for (std::size_t size = 0; size < std::size(sizes); ++size) EXPECT_EQ(clip(text, size).size(), sizes[size]) << size;
    EXPECT_EQ(clip("\x80\x80\x80", 2), "") << "nothing that could begin a character";
}

TEST(LdapAnswers, AnswerEachRequestInItsOwnWords) {
    struct Case {
        std::uint8_t request;
        const char* hex;  // empty: there is no answer
    };
    const Case cases[] = {
        {op::bind_request, "30 0e 02 01 05 61 09 0a 01 35 04 00 04 02 6e 6f"},
        {op::search_request, "30 0e 02 01 05 65 09 0a 01 35 04 00 04 02 6e 6f"},
        {op::modify_request, "30 0e 02 01 05 67 09 0a 01 35 04 00 04 02 6e 6f"},
        {op::add_request, "30 0e 02 01 05 69 09 0a 01 35 04 00 04 02 6e 6f"},
        {op::delete_request, "30 0e 02 01 05 6b 09 0a 01 35 04 00 04 02 6e 6f"},
        {op::modify_dn_request, "30 0e 02 01 05 6d 09 0a 01 35 04 00 04 02 6e 6f"},
        {op::compare_request, "30 0e 02 01 05 6f 09 0a 01 35 04 00 04 02 6e 6f"},
        {op::extended_request, "30 0e 02 01 05 78 09 0a 01 35 04 00 04 02 6e 6f"},
        {op::unbind_request, ""},
        {op::abandon_request, ""},
        {op::bind_response, ""},
        {0x30, ""},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(int{c.request});
        AnswerRoom room;
        const Bytes answer = write_answer(room, c.request, 5, {.code = code::unwilling_to_perform, .diagnostic = "no"});
        EXPECT_EQ(as_text(answer), encode::octets(c.hex));
    }
}

TEST(LdapAnswers, NameStartTlsAndTheNotice) {
    AnswerRoom room;
    EXPECT_EQ(as_text(write_start_tls_answer(room, 1, {})),
              encode::octets("30 24 02 01 01 78 1f 0a 01 00 04 00 04 00 8a 16") + "1.3.6.1.4.1.1466.20037");
    EXPECT_EQ(as_text(write_notice_of_disconnection(room, {.code = code::unavailable, .diagnostic = "bye"})),
              encode::octets("30 27 02 01 00 78 22 0a 01 34 04 00 04 03") + "bye" + encode::octets("8a 16") +
                  "1.3.6.1.4.1.1466.20036");
}

TEST(LdapAnswers, FitWhateverTheyAreToSay) {
    const std::string endless(100000, 'x');
    AnswerRoom room;
    const Bytes answer =
        write_start_tls_answer(room, 2147483647, {.code = 2147483647, .matched_dn = endless, .diagnostic = endless});
    MessageHead head;
    ASSERT_EQ(read_message_head(answer, Sender::server, head).state, MessageResult::State::complete);
    const auto response = read_extended_response(head.operation);
    ASSERT_TRUE(response);
    EXPECT_EQ(response->result.diagnostic.size(), max_diagnostic);
    EXPECT_EQ(response->result.matched_dn.size(), max_diagnostic);
    EXPECT_EQ(response->oid, start_tls_oid);
}
