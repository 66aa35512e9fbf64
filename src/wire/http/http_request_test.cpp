// Requests: what is read from them, and each way of being refused. Every case is also fed at every truncation.
#include "wire/http/head.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sallyport::http {
namespace {

std::string describe(const Framing& framing) {
    switch (framing.kind) {
        case Framing::Kind::none: return "none";
        case Framing::Kind::length: return "length " + std::to_string(framing.length);
        case Framing::Kind::chunked: return "chunked";
        case Framing::Kind::until_close: return "until close";
    }
    return "?";
}

// "GET /path?query for host:port, 1.1, none, keep-alive"
std::string describe(const RequestHead& head) {
    std::string out(head.method_text);
    out += " " + std::string(head.path);
    if (head.has_query) out += "?" + std::string(head.query);
    if (!head.authority.empty()) out += " for " + std::string(head.authority.host());
    if (head.authority.port()) out += ":" + std::to_string(*head.authority.port());
    out += ", 1." + std::to_string(head.minor_version) + ", " + describe(head.framing);
    if (head.keep_alive) out += ", keep-alive";
    if (head.expect_continue) out += ", expects";
    if (head.wants_websocket) out += ", websocket";
    if (head.connection_lists) out += ", connection lists";
    return out;
}

TEST(HttpRequest, IsReadWholeAndEveryPrefixOfItAsksForMore) {
    struct Case {
        std::string_view name;
        std::string head;
        std::string_view read;
    };
    const Case cases[] = {
        {"the shortest", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / for a, 1.1, none, keep-alive"},
        {"a query, empty too", "GET /a/b?c=d?e HTTP/1.1\r\nHost: a\r\n\r\n",
         "GET /a/b?c=d?e for a, 1.1, none, keep-alive"},
        {"only a question mark", "GET /? HTTP/1.1\r\nHost: a\r\n\r\n", "GET /? for a, 1.1, none, keep-alive"},
        {"name in capitals, port, trailing dot", "GET / HTTP/1.1\r\nhOST:\t PBX.Example.COM.:8080 \r\n\r\n",
         "GET / for pbx.example.com:8080, 1.1, none, keep-alive"},
        {"an empty port", "GET / HTTP/1.1\r\nHost: a:\r\n\r\n", "GET / for a, 1.1, none, keep-alive"},
        {"an IPv6 address", "GET / HTTP/1.1\r\nHost: [2001:DB8::1]:80\r\n\r\n",
         "GET / for [2001:db8::1]:80, 1.1, none, keep-alive"},
        {"an IPv4 address", "GET / HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n", "GET / for 192.0.2.1, 1.1, none, keep-alive"},
        {"the absolute form wins over Host", "GET http://B.example:81/x?y HTTP/1.1\r\nHost: a\r\n\r\n",
         "GET /x?y for b.example:81, 1.1, none, keep-alive"},
        {"the absolute form without a path", "GET HTTPS://b HTTP/1.1\r\nHost: a\r\n\r\n",
         "GET / for b, 1.1, none, keep-alive"},
        {"the absolute form without a path but a query", "GET http://b?q HTTP/1.1\r\nHost: a\r\n\r\n",
         "GET /?q for b, 1.1, none, keep-alive"},
        {"OPTIONS for the server", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * for a, 1.1, none, keep-alive"},
        {"OPTIONS for the server, absolute", "OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n",
         "OPTIONS * for a, 1.1, none, keep-alive"},
        {"HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", "GET /, 1.0, none"},
        {"HTTP/1.0 kept", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "GET /, 1.0, none, keep-alive"},
        {"HTTP/1.1 closed", "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n",
         "GET / for a, 1.1, none, connection lists"},
        {"an unknown method", "get-It! / HTTP/1.1\r\nHost: a\r\n\r\n", "get-It! / for a, 1.1, none, keep-alive"},
        {"a length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\n",
         "POST / for a, 1.1, length 12, keep-alive"},
        {"the greatest length", "PUT / HTTP/1.1\r\nHost: a\r\ncontent-length: 9223372036854775807\r\n\r\n",
         "PUT / for a, 1.1, length 9223372036854775807, keep-alive"},
        {"chunks", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\n\r\n",
         "POST / for a, 1.1, chunked, keep-alive"},
        {"an expectation", "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n",
         "PUT / for a, 1.1, length 1, keep-alive, expects"},
        {"an expectation on HTTP/1.0 does not count",
         "PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", "PUT /, 1.0, length 1"},
        {"a WebSocket", "GET /w HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\r\n",
         "GET /w for a, 1.1, none, keep-alive, websocket"},
        {"Upgrade without Connection is none", "GET /w HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n",
         "GET /w for a, 1.1, none, keep-alive"},
        {"a WebSocket on HTTP/1.0 is none", "GET /w HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
         "GET /w, 1.0, none"},
        {"a WebSocket by POST is none",
         "POST /w HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
         "POST /w for a, 1.1, none, keep-alive"},
        {"a WebSocket with a body is none",
         "GET /w HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n\r\n",
         "GET /w for a, 1.1, length 5, keep-alive"},
        {"h2c, which is ignored",
         "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: "
         "x\r\n\r\n",
         "GET / for a, 1.1, none, keep-alive, connection lists"},
        {"h2c beside a WebSocket",
         "GET /w HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c, websocket\r\n\r\n",
         "GET /w for a, 1.1, none, keep-alive, websocket"},
        {"empty lines before it", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / for a, 1.1, none, keep-alive"},
        {"an empty value", "GET / HTTP/1.1\r\nHost: a\r\nX:\r\nY: \t \r\n\r\n", "GET / for a, 1.1, none, keep-alive"},
        {"tabs and bytes above 127 in a value",
         "GET / HTTP/1.1\r\nHost: a\r\nX: a\tbcdefghijklmnop\t\tqrstuvw\xFFxyz\x80\r\n\r\n",
         "GET / for a, 1.1, none, keep-alive"},
    };
    RequestHead head;
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        const HeadResult result = parse_request(as_bytes(c.head), head);
        ASSERT_TRUE(result.complete()) << text(result.error);
        EXPECT_EQ(describe(head), c.read);
        EXPECT_EQ(result.length, c.head.size());
        for (std::size_t n = 0; n < c.head.size(); ++n) {
            EXPECT_TRUE(parse_request(as_bytes(c.head).first(n), head).need_more()) << "after " << n << " bytes";
        }
        const std::string more = c.head + "GET /next HTTP/1.1\r\n";
        EXPECT_EQ(parse_request(as_bytes(more), head).length, c.head.size());
    }
}

// A request with these lines behind its Host.
std::string with(std::string_view lines) { return "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(lines) + "\r\n"; }
std::string host(std::string_view value) { return "GET / HTTP/1.1\r\nHost: " + std::string(value) + "\r\n\r\n"; }
std::string target(std::string_view value) { return "GET " + std::string(value) + " HTTP/1.1\r\nHost: a\r\n\r\n"; }
std::string nul_in(std::string text) {
    for (char& c : text) {
        if (c == '0') c = '\0';
    }
    return text;
}

TEST(HttpRequest, IsRefusedForEachFaultByItsName) {
    using enum HeadError;
    struct Case {
        std::string_view name;
        std::string head;
        HeadError error;
    };
    const Case cases[] = {
        {"five empty lines", "\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", blank_lines},
        {"an empty line of a line feed", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", bare_lf},
        {"TLS", "\x16\x03\x01\x02", tls_hello},
        {"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", http2_preface},
        {"a blank first", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", bad_method},
        {"a method with a slash", "G/T / HTTP/1.1\r\nHost: a\r\n\r\n", bad_method},
        {"a method without end", std::string(33, 'A') + " / HTTP/1.1\r\nHost: a\r\n\r\n", bad_method},
        {"a tab behind the method", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", bad_method},
        {"CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", connect},
        {"two blanks", target(" /"), bad_target},
        {"a blank in the target", target("/a b"), bad_version},
        {"a fragment", target("/#a"), bad_target},
        {"bytes above 127 in the target", target("/\xC3\xA9"), bad_target},
        {"authority form without CONNECT", target("a:80"), bad_target},
        {"a relative path", target("a/b"), bad_target},
        {"another scheme", target("ftp://a/"), bad_target},
        {"an asterisk for GET", target("*"), bad_target},
        {"a NUL in the target", nul_in("GET /0 HTTP/1.1\r\n"), nul_byte},
        {"HTTP/0.9", "GET /\r\n\r\n", bad_version},
        {"a version in lower case", "GET / http/1.1\r\nHost: a\r\n\r\n", bad_version},
        {"a version with blanks behind", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", bad_version},
        {"a version of three digits", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", bad_version},
        {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", unsupported_version},
        {"HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", unsupported_version},
        {"HTTP/0.9 said aloud", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", unsupported_version},
        {"a request line ended by a line feed", "GET / HTTP/1.1\nHost: a\r\n\r\n", bare_lf},
        {"a request line ended by a carriage return", "GET / HTTP/1.1\rHost: a\r\n\r\n", bare_cr},
        {"a target ended by a carriage return", "GET /\rx HTTP/1.1\r\nHost: a\r\n\r\n", bare_cr},
        {"a field ended by a line feed", with("A: b\n"), bare_lf},
        {"a carriage return in a value", with("A: b\rc\r\n"), bare_cr},
        {"two carriage returns", with("A: b\r\r\n"), bare_cr},
        {"an empty line of a carriage return", with("\rA: b\r\n"), bare_cr},
        {"an empty line of a line feed at the end", "GET / HTTP/1.1\r\nHost: a\r\n\n", bare_lf},
        {"a line feed in a name", with("A\n: b\r\n"), bare_lf},
        {"a NUL in a value", nul_in(with("A: b0c\r\n")), nul_byte},
        {"a NUL in a name", nul_in(with("A0: b\r\n")), nul_byte},
        {"an escape character in a value", with("A: b\x1B[2J\r\n"), control_character},
        {"DEL in a value", with("A: 0123456789\x7F\r\n"), control_character},
        {"a folded line", with("A: b\r\n c\r\n"), obs_fold},
        {"a folded line by a tab", with("A: b\r\n\tc: d\r\n"), obs_fold},
        {"a blank before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", obs_fold},
        {"a blank before the colon", with("Content-Length : 5\r\n"), space_before_colon},
        {"a tab before the colon", with("Transfer-Encoding\t: chunked\r\n"), space_before_colon},
        {"no name", with(": b\r\n"), empty_name},
        {"no colon", with("Content-Length\r\n"), bad_name},
        {"a name with a parenthesis", with("A(b: c\r\n"), bad_name},
        {"a name with a byte above 127", with("\xC4: c\r\n"), bad_name},
        {"no Host", "GET / HTTP/1.1\r\nX: y\r\n\r\n", missing_host},
        {"no Host beside the absolute form", "GET http://a/ HTTP/1.1\r\n\r\n", missing_host},
        {"two Hosts", with("Host: b\r\n"), several_hosts},
        {"the same Host twice", with("hoST: a\r\n"), several_hosts},
        {"two Hosts on HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", several_hosts},
        {"an empty Host", host(""), bad_host},
        {"a list of Hosts", host("a, b"), bad_host},
        {"a user name in Host", host("u@a"), bad_host},
        {"a user name in the absolute form", target("http://u:p@a/"), bad_host},
        {"an empty authority", target("http:///x"), bad_host},
        {"a bad Host beside the absolute form", "GET http://a/ HTTP/1.1\r\nHost: b@c\r\n\r\n", bad_host},
        {"a path in Host", host("a/b"), bad_host},
        {"an escape in Host", host("a%2eb"), bad_host},
        {"a backslash in Host", host("a\\b"), bad_host},
        {"an empty label", host("a..b"), bad_host},
        {"two trailing dots", host("a.."), bad_host},
        {"a leading dot", host(".a"), bad_host},
        {"nothing but a dot", host("."), bad_host},
        {"port 0", host("a:0"), bad_host},
        {"port 65536", host("a:65536"), bad_host},
        {"a signed port", host("a:+80"), bad_host},
        {"two ports", host("a:80:80"), bad_host},
        {"IPv6 without brackets", host("2001:db8::1"), bad_host},
        {"IPv6 without the second bracket", host("[::1"), bad_host},
        {"brackets around a name", host("[a]"), bad_host},
        {"brackets around IPv4", host("[192.0.2.1]"), bad_host},
        {"text behind the bracket", host("[::1]a"), bad_host},
        {"an IPv6 zone", host("[fe80::1%25eth0]"), bad_host},
        {"a name that is too long", host(std::string(254, 'a')), bad_host},
        {"two lengths", with("Content-Length: 5\r\nContent-Length: 6\r\n"), several_lengths},
        {"the same length twice", with("Content-Length: 5\r\nCONTENT-LENGTH: 5\r\n"), several_lengths},
        {"a list of lengths", with("Content-Length: 5, 5\r\n"), bad_length},
        {"an empty length", with("Content-Length:\r\n"), bad_length},
        {"a plus sign", with("Content-Length: +5\r\n"), bad_length},
        {"a minus sign", with("Content-Length: -5\r\n"), bad_length},
        {"a negative zero", with("Content-Length: -0\r\n"), bad_length},
        {"hexadecimal", with("Content-Length: 0x5\r\n"), bad_length},
        {"a blank in the length", with("Content-Length: 1 0\r\n"), bad_length},
        {"a length of 2^63", with("Content-Length: 9223372036854775808\r\n"), bad_length},
        {"a length of 2^64", with("Content-Length: 18446744073709551616\r\n"), bad_length},
        {"both", with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), length_and_encoding},
        {"both, the other way", with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), length_and_encoding},
        {"both, and a zero length", with("Content-Length: 0\r\nTransfer-Encoding: identity\r\n"), length_and_encoding},
        {"identity", with("Transfer-Encoding: identity\r\n"), bad_encoding},
        {"gzip before chunked", with("Transfer-Encoding: gzip, chunked\r\n"), bad_encoding},
        {"chunked twice", with("Transfer-Encoding: chunked, chunked\r\n"), bad_encoding},
        {"two encoding fields", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), bad_encoding},
        {"an empty encoding", with("Transfer-Encoding:\r\n"), bad_encoding},
        {"a quoted encoding", with("Transfer-Encoding: \"chunked\"\r\n"), bad_encoding},
        {"an encoding with a parameter", with("Transfer-Encoding: chunked;a=b\r\n"), bad_encoding},
        {"a vertical tab before chunked", with("Transfer-Encoding: \vchunked\r\n"), control_character},
        {"xchunked", with("Transfer-Encoding: xchunked\r\n"), bad_encoding},
        {"an encoding on HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", encoding_on_1_0},
    };
    RequestHead head;
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        const HeadResult result = parse_request(as_bytes(c.head), head);
        ASSERT_TRUE(result.refused());
        EXPECT_EQ(text(result.error), text(c.error));
        for (std::size_t n = 0; n < c.head.size(); ++n) {
            EXPECT_FALSE(parse_request(as_bytes(c.head).first(n), head).complete()) << "after " << n << " bytes";
        }
    }
}

TEST(HttpRequest, KeepsItsFieldsInOrderWithTheirKinds) {
    const std::string text =
        "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For:  b \r\nx_forwarded_for: c\r\nEmpty:\r\nProxy-Thing: d\r\n\r\n";
    RequestHead head;
    ASSERT_TRUE(parse_request(as_bytes(text), head).complete());
    const std::vector<std::tuple<std::string_view, std::string_view, FieldKind>> expected = {
        {"Host", "a", FieldKind::host},
        {"X-Forwarded-For", "b", FieldKind::forwarded_for},
        {"x_forwarded_for", "c", FieldKind::look_alike},
        {"Empty", "", FieldKind::other},
        {"Proxy-Thing", "d", FieldKind::hop_by_hop},
    };
    ASSERT_EQ(head.fields.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_EQ(std::tuple(head.fields[i].name, head.fields[i].value, head.fields[i].kind), expected[i]);
    }
}

TEST(HttpRequest, TakesAsManyFieldsAsItsListHoldsAndNotOneMore) {
    std::string text = "GET / HTTP/1.1\r\nHost: a\r\n";
    for (std::size_t i = 1; i < FieldList::capacity; ++i) text += "X: y\r\n";
    RequestHead head;
    EXPECT_TRUE(parse_request(as_bytes(text + "\r\n"), head).complete());
    const HeadResult over = parse_request(as_bytes(text + "X: y\r\n\r\n"), head);
    ASSERT_TRUE(over.refused());
    EXPECT_EQ(over.error, HeadError::too_many_fields);
}

TEST(HttpRequest, FindsAFaultAtEveryOffsetOfALongValue) {
    RequestHead head;
    for (const char fault : {'\0', '\x01', '\x1F', '\x7F', '\n', '\r'}) {
        for (std::size_t at = 0; at < 40; ++at) {
            std::string value(40, 'v');
            value[at] = fault;
            const std::string text = "GET / HTTP/1.1\r\nHost: a\r\nX: " + value + "\r\n\r\n";
            EXPECT_TRUE(parse_request(as_bytes(text), head).refused()) << int{fault} << " at " << at;
        }
    }
}

TEST(HttpRequest, ForgetsTheRequestBefore) {
    RequestHead head;
    const std::string full =
        "GET /w?q HTTP/1.1\r\nHost: a:81\r\nConnection: Upgrade, x\r\nUpgrade: websocket, h2c\r\nExpect: "
        "100-continue\r\n\r\n";
    ASSERT_TRUE(parse_request(as_bytes(full), head).complete());
    ASSERT_TRUE(parse_request(as_bytes("GET / HTTP/1.0\r\n\r\n"), head).complete());
    EXPECT_EQ(describe(head), "GET /, 1.0, none");
    EXPECT_TRUE(head.fields.empty());
}

}  // namespace
}  // namespace sallyport::http
