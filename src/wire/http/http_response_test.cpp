// Responses: what is read from them, and how they are refused. Every case is also fed at every truncation.
#include "wire/http/head.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sallyport::http {
namespace {

// "200 OK, length 5, keep-alive"
std::string describe(const ResponseHead& head) {
    constexpr std::string_view kinds[] = {"none", "length", "chunked", "until close"};
    std::string out = std::to_string(head.status) + " " + std::string(head.reason) + ", ";
    out += kinds[std::to_underlying(head.framing.kind)];
    if (head.framing.kind == Framing::Kind::length) out += " " + std::to_string(head.framing.length);
    if (head.framing.kind != Framing::Kind::length && head.length) out += " of " + std::to_string(*head.length);
    if (head.keep_alive) out += ", keep-alive";
    if (head.interim()) out += ", interim";
    if (head.switches_to_websocket) out += ", websocket";
    return out;
}

TEST(HttpResponse, IsReadWholeAndEveryPrefixOfItAsksForMore) {
    struct Case {
        std::string_view name;
        Method asked;
        std::string head;
        std::string_view read;
    };
    const Case cases[] = {
        {"a length", Method::get, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "200 OK, length 5, keep-alive"},
        {"chunks", Method::get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n", "200 OK, chunked, keep-alive"},
        {"until close", Method::get, "HTTP/1.1 200 OK\r\n\r\n", "200 OK, until close"},
        {"said to be the last", Method::get, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
         "200 OK, length 0"},
        {"HTTP/1.0", Method::get, "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", "200 OK, length 5"},
        {"HTTP/1.0 kept", Method::get, "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\n",
         "200 OK, length 5, keep-alive"},
        {"to HEAD, with the length of what GET would bring", Method::head,
         "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "200 OK, none of 5, keep-alive"},
        {"to HEAD, without a length", Method::head, "HTTP/1.1 200 OK\r\n\r\n", "200 OK, none, keep-alive"},
        {"to HEAD, chunked in words only", Method::head, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
         "200 OK, none, keep-alive"},
        {"204", Method::get, "HTTP/1.1 204 No Content\r\n\r\n", "204 No Content, none, keep-alive"},
        {"304 with a length", Method::get, "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
         "304 Not Modified, none of 9, keep-alive"},
        {"100", Method::post, "HTTP/1.1 100 Continue\r\n\r\n", "100 Continue, none, keep-alive, interim"},
        {"103", Method::get, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",
         "103 Early Hints, none, keep-alive, interim"},
        {"101", Method::get, "HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\n\r\n",
         "101 Switching, none, keep-alive, websocket"},
        {"101 to something else", Method::get, "HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
         "101 S, none, keep-alive"},
        {"an empty reason", Method::get, "HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n", "404 , length 0, keep-alive"},
        {"no blank behind the status", Method::get, "HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n",
         "404 , length 0, keep-alive"},
        {"any text as reason", Method::get, "HTTP/1.1 404 Nicht \xE4\t!\r\nContent-Length: 0\r\n\r\n",
         "404 Nicht \xE4\t!, length 0, keep-alive"},
    };
    ResponseHead head;
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        const HeadResult result = parse_response(as_bytes(c.head), c.asked, head);
        ASSERT_TRUE(result.complete()) << text(result.error);
        EXPECT_EQ(describe(head), c.read);
        EXPECT_EQ(parse_response(as_bytes(c.head + "HTTP/"), c.asked, head).length, c.head.size());
        for (std::size_t n = 0; n < c.head.size(); ++n) {
            EXPECT_TRUE(parse_response(as_bytes(c.head).first(n), c.asked, head).need_more())
                << "after " << n << " bytes";
        }
    }
}

TEST(HttpResponse, IsRefusedForEachFaultByItsName) {
    using enum HeadError;
    struct Case {
        std::string_view name;
        std::string head;
        HeadError error;
    };
    const std::string ok = "HTTP/1.1 200 OK\r\n";
    const Case cases[] = {
        {"not HTTP", "SSH-2.0-OpenSSH\r\n", bad_version},
        {"HTTP/0.9", "<html>", bad_version},
        {"an empty line first", "\r\nHTTP/1.1 200 OK\r\n\r\n", bad_version},
        {"a stream of another kind", "ICY 200 OK\r\n\r\n", bad_version},
        {"HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n", unsupported_version},
        {"no status", "HTTP/1.1 \r\n\r\n", bad_status},
        {"a status of two digits", "HTTP/1.1 20 OK\r\n\r\n", bad_status},
        {"a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", bad_status},
        {"a status of letters", "HTTP/1.1 2OO OK\r\n\r\n", bad_status},
        {"status 099", "HTTP/1.1 099 OK\r\n\r\n", bad_status},
        {"status 600", "HTTP/1.1 600 OK\r\n\r\n", bad_status},
        {"two blanks before the status", "HTTP/1.1  200 OK\r\n\r\n", bad_status},
        {"a control character in the reason", "HTTP/1.1 200 O\x01K\r\n\r\n", control_character},
        {"a status line ended by a line feed", "HTTP/1.1 200 OK\n\r\n", bare_lf},
        {"a field ended by a line feed", ok + "A: b\n\r\n", bare_lf},
        {"a carriage return in a value", ok + "A: b\rc\r\n\r\n", bare_cr},
        {"a folded line", ok + "A: b\r\n c\r\n\r\n", obs_fold},
        {"a blank before the colon", ok + "A : b\r\n\r\n", space_before_colon},
        {"two lengths", ok + "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", several_lengths},
        {"a signed length", ok + "Content-Length: +1\r\n\r\n", bad_length},
        {"both", ok + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", length_and_encoding},
        {"gzip", ok + "Transfer-Encoding: gzip, chunked\r\n\r\n", bad_encoding},
        {"an encoding on HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", encoding_on_1_0},
    };
    ResponseHead head;
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        const HeadResult result = parse_response(as_bytes(c.head), Method::get, head);
        ASSERT_TRUE(result.refused());
        EXPECT_EQ(text(result.error), text(c.error));
        for (std::size_t n = 0; n < c.head.size(); ++n) {
            EXPECT_FALSE(parse_response(as_bytes(c.head).first(n), Method::get, head).complete());
        }
    }
}

}  // namespace
}  // namespace sallyport::http
