// URIs, addresses, and the host that a request is routed by: hand-made tables of what the grammar of RFC 3261 section
// 25.1 allows, and of what it does not.
#include "wire/sip/uri.hpp"

#include "wire/sip/route.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sallyport::sip {
namespace {

using namespace std::string_literals;

// "sip user=a password=b host:port parameters headers", what is not there left away.
std::string describe(const Uri& uri) {
    constexpr std::string_view names[] = {"sip", "sips", "tel", "other"};
    std::string out(names[static_cast<std::size_t>(uri.scheme)]);
    if (!uri.user.empty()) out += " user=" + std::string(uri.user);
    if (!uri.password.empty()) out += " password=" + std::string(uri.password);
    if (!uri.host.empty()) out += " " + std::string(uri.host.text());
    if (uri.port) out += ":" + std::to_string(*uri.port);
    if (!uri.parameters.empty()) out += " " + std::string(uri.parameters);
    if (!uri.headers.empty()) out += " ?" + std::string(uri.headers);
    return out;
}

TEST(SipUri, IsTakenApart) {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"sip:example.com", "sip example.com"},
        {"SIP:Example.COM.", "sip example.com"},
        {"sips:alice@example.com:5061", "sips user=alice example.com:5061"},
        {"sip:alice:secret@example.com", "sip user=alice password=secret example.com"},
        {"sip:alice:@example.com", "sip user=alice example.com"},
        {"sip:a@b;transport=tcp;lr", "sip user=a b ;transport=tcp;lr"},
        {"sip:a@b:1;x=y?h=v&i=w", "sip user=a b:1 ;x=y ?h=v&i=w"},
        {"sip:a@b?Route=%3Csip:c%3E", "sip user=a b ?Route=%3Csip:c%3E"},
        {"sip:a;b=c?d/e@host", "sip user=a;b=c?d/e host"},
        {"sip:user;par=u%40example.net@example.com", "sip user=user;par=u%40example.net example.com"},
        {"sip:evil.example;x=y@good.example", "sip user=evil.example;x=y good.example"},
        {"sip:evil.example?x=y@good.example", "sip user=evil.example?x=y good.example"},
        {"sip:evil.example:5060@good.example", "sip user=evil.example password=5060 good.example"},
        {"sip:*21#@host", "sip user=*21# host"},
        {"sip:+1-201-555;phone-context=+1@h;user=phone", "sip user=+1-201-555;phone-context=+1 h ;user=phone"},
        {"sip:192.0.2.1:5060", "sip 192.0.2.1:5060"},
        {"sip:a@[2001:DB8::1]:5070;x", "sip user=a [2001:db8::1]:5070 ;x"},
        {"sip:a@[2001:db8:0:0:0:0:0:1]", "sip user=a [2001:db8::1]"},
        {"sip:[::ffff:192.0.2.1]", "sip 192.0.2.1"},
        {"sip:a@under_score.example", "sip user=a under_score.example"},
        {"sip:a@4you.example", "sip user=a 4you.example"},
        {"sip:a@b;p=[x]/:&+$", "sip user=a b ;p=[x]/:&+$"},
        {"tel:+13035551111;phone-context=x", "tel"},
        {"mailto:a@b", "other"},
        {"soap.beep://192.0.2.103:3002", "other"},
    };
    for (const auto& [text, read] : cases) {
        Uri uri;
        EXPECT_TRUE(parse_uri(text, uri)) << text;
        EXPECT_EQ(describe(uri), read) << text;
    }
}

TEST(SipUri, IsRefusedWhereReadersWouldFindDifferentHosts) {
    const std::string long_label(64, 'a');
    const std::string long_name = "sip:" + std::string(63, 'a') + "." + std::string(63, 'a') + "." +
                                  std::string(63, 'a') + "." + std::string(62, 'a');
    const std::string cases[] = {
        "",
        "sip",
        "sip:",
        ":a",
        "1sip:a",
        "si_p:a",
        " sip:a",
        "sip:a ",
        "sip: a",
        "sip:@host",
        "sip:a@",
        "sip:a@b@c",
        "sip:a@b;x=c@d",
        "sip:a@b?x=c@d",
        "sip:a%40b@c%40d",
        "sip:a%4@b",
        "sip:a%zz@b",
        "sip:a%",
        "sip:a@b%41",
        "sip:a\"b@c",
        "sip:<a@b>",
        "sip:a@b>",
        "sip:a\\b@c",
        "sip:\xC3\xA4@b",
        "sip:a@\xC3\xA4",
        "sip:a^b@c",
        "sip:a[b@c",
        "sip:a@b:",
        "sip:a@b:0",
        "sip:a@b:65536",
        "sip:a@b:+1",
        "sip:a@b:5060x",
        "sip:a@b:1:2",
        "sip:a:b:c@d",
        "sip:a@.b",
        "sip:a@b..c",
        "sip:a@b..",
        "sip:a@.",
        "sip:a@-b",
        "sip:a@b-",
        "sip:a@b-.c",
        "sip:a@b#c",
        "sip:a@b/c",
        "sip:a@" + long_label,
        long_name,
        "sip:a@1",
        "sip:a@1.2.3",
        "sip:a@1.2.3.4.5",
        "sip:a@1.2.3.256",
        "sip:a@example.123",
        "sip:a@01.2.3.4",
        "sip:a@[::1",
        "sip:a@::1",
        "sip:a@[1.2.3.4]",
        "sip:a@[::1%25eth0]",
        "sip:a@[]",
        "sip:a@[::1]x",
        "sip:a@[::1].",
        "sip:a@b;",
        "sip:a@b;;x",
        "sip:a@b;=x",
        "sip:a@b;x=",
        "sip:a@b;x=y=z",
        "sip:a@b;x,y",
        "sip:a@b?",
        "sip:a@b?x<y",
        "sip:a@b\0"s,
        "sip:a\r\n b@c",
    };
    for (const std::string& text : cases) {
        Uri uri;
        EXPECT_FALSE(parse_uri(text, uri)) << text << " -> " << describe(uri);
    }
}

// What the From field says: a host, or in brackets why there is none.
std::string route_of(std::string_view from) {
    const std::string head = "REGISTER sip:x SIP/2.0\r\nFrom: " + std::string(from) + "\r\n\r\n";
    Message message;
    const auto result = parse_message(as_bytes(head), message);
    if (!result.complete()) return "refused: " + std::string(text(result.error));
    const auto name = route_name(message);
    if (!name) return "(" + std::string(text(name.error())) + ")";
    return (name->secure ? "secure " : "") + std::string(name->host.text());
}

TEST(SipFrom, IsTheSameButForATagThatStandsAlone) {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"<sip:a@example.com>;tag=1", "<sip:a@example.com>"},
        {"\"A <b>;tag=\" <sip:a@example.com;x=y>;tag=a.b-c", "\"A <b>;tag=\" <sip:a@example.com;x=y>"},
        {"<sip:a@example.com>", ""},
        {"<sip:a@example.com>;tag=", ""},
        {"<sip:a@example.com> ;tag=1", ""},
        {"<sip:a@example.com>;TAG=1", ""},
        {"<sip:a@example.com>;x=y;tag=1", ""},
        {"<sip:a@example.com>;tag=1;x=y", ""},
        {"<sip:a@example.com>;tag=1, <sip:b@example.org>", ""},
        {"<sip:a@example.com>;tag=\"1\"", ""},
        {"sip:a@example.com;tag=1", ""},
        {"", ""},
    };
    for (const auto& [from, front] : cases) {
        EXPECT_EQ(without_tag(from), front) << from;
        if (!front.empty()) EXPECT_EQ(route_of(from), route_of(std::string(front) + ";tag=other")) << from;
    }
}

TEST(SipFrom, IsRoutedByTheHostOfItsUri) {
    const std::pair<std::string_view, std::string_view> cases[] = {
        // name-addr
        {"<sip:a@example.com>", "example.com"},
        {"<sip:example.com>", "example.com"},
        {"<sips:a@example.com>;tag=1", "secure example.com"},
        {"Alice <sip:a@example.com>;tag=1", "example.com"},
        {"Alice<sip:a@example.com>", "example.com"},
        {"Alice B. Clark <sip:a@example.com>", "example.com"},
        {"*%!.-_+`'~ <sip:a@example.com>", "example.com"},
        {"J\xC3\xB6rg <sip:a@example.com>", "example.com"},
        {"\"Alice\" <sip:a@example.com>", "example.com"},
        {"\"Alice\"<sip:a@example.com>", "example.com"},
        {"\"\" <sip:a@example.com>", "example.com"},
        {"\"<sip:b@evil.example>\" <sip:a@example.com>", "example.com"},
        {"\"sip:b@evil.example\" <sip:a@example.com>", "example.com"},
        {"\"b@evil.example;tag=2\" <sip:a@example.com>;tag=1", "example.com"},
        {"\"a \\\" <sip:b@evil.example>\" <sip:a@example.com>", "example.com"},
        {"\"a \\\\\" <sip:a@example.com>", "example.com"},
        {"\"a\\\\\\\"\" <sip:a@example.com>", "example.com"},
        {"\"Bell, Alexander\" <sip:a@example.com>", "example.com"},
        {"\"J\xC3\xB6rg\" <sip:a@example.com>", "example.com"},
        {"\"a\r\n b\" <sip:a@example.com>", "example.com"},
        {"\r\n <sip:a@example.com>\r\n ;tag = 1", "example.com"},
        {"Alice\r\n\t<sip:a@example.com>", "example.com"},
        {"<sip:a@example.com>  ;  tag  =  1  ;  x", "example.com"},
        {"<sip:a@example.com>;x=\"y;tag=z\";tag=1", "example.com"},
        {"<sip:a@example.com>;x=[::1]:5060;tag=1", "example.com"},
        {"<sip:a@example.com;tag=in-the-uri>", "example.com"},
        {"<sip:a@example.com?Subject=x>", "example.com"},
        {"<sip:a,b@example.com>", "example.com"},
        {"<sip:a;x?y@example.com:5070;z?q=r>;tag=1", "example.com"},
        {"<sip:evil.example;x=y@example.com>", "example.com"},
        {"<sip:a%40evil.example@example.com>", "example.com"},
        {"<sip:%41@EXAMPLE.com.:5060>", "example.com"},
        {"<sip:a@[2001:DB8::1]:5060>", "[2001:db8::1]"},
        {"<sip:a@192.0.2.1>", "192.0.2.1"},
        {"<SIP:a@example.com>", "example.com"},
        {"<sip:a@invalid>", "invalid"},
        {"<sip:anonymous@example.com>", "example.com"},
        // a bare addr-spec
        {"sip:a@example.com", "example.com"},
        {"sip:example.com", "example.com"},
        {"sip:example.com;tag=1", "example.com"},
        {"sip:a@example.com;tag=1", "example.com"},
        {"sip:a@example.com ; tag = 1", "example.com"},
        {"sip:a@example.com:5060;tag=1", "example.com"},
        {"sip:a@[::1]:5060;tag=1", "[::1]"},
        {"sip:a:b@example.com;x;y=\"z\";tag=1", "example.com"},
        {"sip:*21#@example.com;tag=1", "example.com"},
        // no host to route by
        {"<tel:+13035551111>;tag=1", "(the From field has a telephone number, which belongs to no domain)"},
        {"tel:+13035551111;tag=1", "(the From field has a telephone number, which belongs to no domain)"},
        {"TEL:110", "(the From field has a telephone number, which belongs to no domain)"},
        {"\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=1", "(the From field is anonymous)"},
        {"<sip:thisis@Anonymous.Invalid.>", "(the From field is anonymous)"},
        {"<http://www.example.com>;tag=1", "(the From field has a URI that is neither sip nor sips)"},
        {"isbn:2983792873", "(the From field has a URI that is neither sip nor sips)"},
        {"<mailto:a@example.com>", "(the From field has a URI that is neither sip nor sips)"},
    };
    for (const auto& [from, route] : cases) EXPECT_EQ(route_of(from), route) << from;
}

TEST(SipFrom, IsMalformedWhereTheGrammarSaysSo) {
    const std::string_view cases[] = {
        "",
        "Alice",
        "a@example.com",
        "<a@example.com>",
        "example.com",
        "<>",
        "<sip:>",
        "Alice <sip:a@example.com",
        "Alice sip:a@example.com>",
        "Alice sip:a@example.com",
        "\"Alice <sip:a@example.com>",
        "\"Alice\\\" <sip:a@example.com>",
        "\"Alice\" sip:a@example.com",
        "\"Alice\" x <sip:a@example.com>",
        "x \"Alice\" <sip:a@example.com>",
        "\"A\"\"B\" <sip:a@example.com>",
        "Bell, Alexander <sip:a@example.com>",
        "(Alice) <sip:a@example.com>",
        "sip:b@evil.example <sip:a@example.com>",
        "a@b <sip:a@example.com>",
        "< sip:a@example.com>",
        "<sip:a@example.com >",
        "<sip:a@example.com\r\n >",
        "<sip:a@\r\n example.com>",
        "<<sip:a@example.com>>",
        "<sip:a@example.com>>",
        "<sip:a@example.com> x",
        "<sip:a@example.com>, <sip:b@evil.example>",
        "sip:a@example.com, sip:b@evil.example",
        "<sip:a@example.com>,",
        "<sip:a@example.com>;",
        "<sip:a@example.com>;;tag=1",
        "<sip:a@example.com>;tag=",
        "<sip:a@example.com>;tag=\"1\"",
        "<sip:a@example.com>;tag=1;tag=2",
        "<sip:a@example.com>;tag=1 2",
        "<sip:a@example.com>;x=\"never closed",
        "<sip:a@b@example.com>",
        "sip:a;x@example.com",
        "sip:a,b@example.com",
        "sip:a@example.com?Subject=x",
        "sip:a?x@example.com",
        "sip :a@example.com",
    };
    for (const std::string_view from : cases) {
        EXPECT_EQ(route_of(from), "(the From field is not an address)") << from;
    }
}

TEST(SipFrom, StandsInAMessageOnce) {
    const std::pair<std::string_view, NoName> cases[] = {
        {"To: <sip:a@b>\r\n", NoName::missing},
        {"From: <sip:a@b>\r\nf: <sip:a@b>\r\n", NoName::several},
    };
    for (const auto& [fields, why] : cases) {
        const std::string head = "OPTIONS sip:a SIP/2.0\r\n" + std::string(fields) + "\r\n";
        Message message;
        ASSERT_TRUE(parse_message(as_bytes(head), message).complete());
        const auto name = route_name(message);
        ASSERT_FALSE(name);
        EXPECT_EQ(text(name.error()), text(why));
    }
}

TEST(SipDialog, IsWhatATagInToSays) {
    const std::pair<std::string_view, bool> cases[] = {
        {"To: <sip:a@b>;tag=1", true},    {"t: sip:a@b;tag=1", true},           {"To: <sip:a@b>", false},
        {"To: <sip:a@b;tag=1>", false},   {"To: \"a;tag=1\" <sip:a@b>", false}, {"To: <sip:a@b>;x;tag=", false},
        {"From: <sip:a@b>;tag=1", false},
    };
    for (const auto& [field, within] : cases) {
        const std::string head = "BYE sip:a SIP/2.0\r\n" + std::string(field) + "\r\n\r\n";
        Message message;
        ASSERT_TRUE(parse_message(as_bytes(head), message).complete()) << field;
        EXPECT_EQ(is_within_dialog(message), within) << field;
    }
}

TEST(SipAddress, GivesNameTagAndParameters) {
    Address address;
    ASSERT_TRUE(parse_address(" \"A \\\"B\\\"\" <sip:c@d;e=f> ; tag = g ; h", address));
    EXPECT_EQ(address.display_name, "A \\\"B\\\"");
    EXPECT_EQ(address.tag, "g");
    EXPECT_EQ(address.parameters, "; tag = g ; h");
    EXPECT_EQ(address.uri.parameters, ";e=f");
    EXPECT_TRUE(address.in_brackets);

    ASSERT_TRUE(parse_address("sip:c@d;e=f;TAG=g", address));
    EXPECT_EQ(address.display_name, "");
    EXPECT_EQ(address.tag, "g");
    EXPECT_EQ(address.uri.parameters, "");
    EXPECT_FALSE(address.in_brackets);
}

}  // namespace
}  // namespace sallyport::sip
