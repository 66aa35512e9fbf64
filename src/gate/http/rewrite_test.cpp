// What passes the gateway and what does not: received head in, written head out.
#include "gate/http/rewrite.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace sallyport::gate::http {
namespace {

using sallyport::http::Framing;
using sallyport::http::Method;
using sallyport::http::RequestHead;
using sallyport::http::ResponseHead;

std::string request(std::string_view received, const Forwarding& forwarding) {
    RequestHead head;
    EXPECT_TRUE(parse_request(as_bytes(received), head).complete()) << received;
    std::array<std::byte, 8192> room;
    ByteWriter out(room);
    write_request_head(out, head, forwarding);
    EXPECT_TRUE(out.ok());
    EXPECT_LE(out.size(), received.size() + rewrite_growth);

    RequestHead read_back;  // by the target
    EXPECT_TRUE(parse_request(out.written(), read_back).complete() || head.authority.empty());
    EXPECT_EQ(read_back.framing, head.framing);
    return std::string(as_text(out.written()));
}

// What stands between Host and what we add; the rest is the same for each request of this client.
constexpr std::string_view ours =
    "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: a:81\r\n"
    "Forwarded: for=192.0.2.7;host=\"a:81\";proto=https\r\nVia: 1.1 edge-1\r\n";
constexpr Forwarding by_tls = {.client = "192.0.2.7", .node = "edge-1", .tls = true};
constexpr std::string_view start = "GET /x?y HTTP/1.1\r\nHost: a:81\r\n";

TEST(Rewrite, DropsWhatOneConnectionKeepsToItselfAndWhatTheClientMayNotClaim) {
    struct Case {
        std::string_view name;
        std::string_view received;  // behind Host
        std::string_view passed;
        std::string_view framing = {};
    };
    const Case cases[] = {
        {"end-to-end fields in their order", "B: 1\r\nA: 2\r\nB: 3\r\nEmpty:\r\n",
         "B: 1\r\nA: 2\r\nB: 3\r\nEmpty: \r\n"},
        {"hop-by-hop fields",
         "Connection: keep-alive\r\nKeep-Alive: 5\r\nTE: trailers\r\nProxy-Connection: x\r\nProxy-Authorization: "
         "y\r\nProxy: "
         "z\r\nA: 1\r\n",
         "A: 1\r\n"},
        {"what Connection names", "A: 1\r\nConnection: close, a, B\r\nb: 2\r\nC: 3\r\n", "C: 3\r\n"},
        {"Connection has no say over what we write",
         "Connection: X-Forwarded-For, Forwarded, Host, Via, Content-Length\r\n", ""},
        {"nor over framing", "Connection: Content-Length\r\nContent-Length: 5\r\n", "", "Content-Length: 5\r\n"},
        {"claims of a client",
         "X-Forwarded-For: 10.0.0.1\r\nx-forwarded-proto: http\r\nX-Forwarded-Host: evil\r\nForwarded: for=10.0.0.1\r\n"
         "X-Real-IP: 10.0.0.1\r\nX-Forwarded-Port: 1\r\nX-Original-URL: /admin\r\nA: 1\r\n",
         "A: 1\r\n"},
        {"claims by underscores", "X_Forwarded_For: 10.0.0.1\r\nx-real_ip: 10.0.0.1\r\nContent_Length: 9\r\nA_B: 1\r\n",
         "A_B: 1\r\n"},
        {"an upgrade to HTTP/2", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n", ""},
        {"Trailer without chunks", "Trailer: A\r\n", ""},
        {"Trailer and chunks", "Trailer: A\r\nTransfer-Encoding: Chunked\r\n", "Trailer: A\r\n",
         "Transfer-Encoding: chunked\r\n"},
        {"a length written anew", "content-length: 0012\r\n", "", "Content-Length: 12\r\n"},
        {"an expectation", "Expect: 100-continue\r\nContent-Length: 1\r\n", "", "Content-Length: 1\r\n"},
        {"a WebSocket and no other upgrade",
         "Connection: upgrade, keep-alive\r\nUpgrade: websocket, h2c\r\nSec-WebSocket-Key: k\r\n",
         "Sec-WebSocket-Key: k\r\n", "Connection: Upgrade\r\nUpgrade: websocket\r\n"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        const std::string received = std::string(start) + std::string(c.received) + "\r\n";
        const std::string expected =
            std::string(start) + std::string(c.passed) + std::string(ours) + std::string(c.framing) + "\r\n";
        EXPECT_EQ(request(received, by_tls), expected);
    }
}

TEST(Rewrite, WritesTheRequestLineInOriginFormAndHostByTheAuthorityThatCounts) {
    struct Case {
        std::string_view received;
        std::string_view written;
    };
    const Case cases[] = {
        {"GET http://B.:81/x?y HTTP/1.1\r\nHost: a\r\n\r\n", "GET /x?y HTTP/1.1\r\nHost: b:81\r\n"},
        {"GET http://b?y HTTP/1.1\r\nHost: a\r\n\r\n", "GET /?y HTTP/1.1\r\nHost: b\r\n"},
        {"GET /? HTTP/1.1\r\nHost: a\r\n\r\n", "GET /? HTTP/1.1\r\nHost: a\r\n"},
        {"OPTIONS http://b HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: b\r\n"},
        {"MKCOL /x HTTP/1.0\r\nHost: [2001:DB8::1]:80\r\n\r\n", "MKCOL /x HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n"},
    };
    for (const Case& c : cases) EXPECT_TRUE(request(c.received, by_tls).starts_with(c.written)) << c.received;

    Forwarding other = by_tls;
    other.host = "inner.example";
    const std::string renamed = request("GET / HTTP/1.1\r\nHost: a\r\n\r\n", other);
    EXPECT_NE(renamed.find("\r\nHost: inner.example\r\n"), std::string::npos);
    EXPECT_NE(renamed.find("\r\nX-Forwarded-Host: a\r\n"), std::string::npos);
}

TEST(Rewrite, AppendsToWhatATrustedProxySays) {
    Forwarding forwarding = {.client = "2001:db8::9", .node = "edge-1", .peer_is_trusted = true};
    const std::string received =
        "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\nX-Real-IP: "
        "192.0.2.1\r\n"
        "x-forwarded-for: 192.0.2.2, 192.0.2.3\r\nForwarded: for=192.0.2.1;proto=https\r\nVia: 1.0 far, 1.1 near\r\n"
        "X_Forwarded_For: 10.0.0.1\r\nConnection: X-Real-IP, X-Forwarded-For\r\n\r\n";
    EXPECT_EQ(request(received, forwarding),
              "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: https\r\nX-Real-IP: 192.0.2.1\r\n"
              "X-Forwarded-For: 192.0.2.1, 192.0.2.2, 192.0.2.3, 2001:db8::9\r\nX-Forwarded-Host: a\r\n"
              "Forwarded: for=192.0.2.1;proto=https, for=\"[2001:db8::9]\";host=\"a\";proto=http\r\n"
              "Via: 1.0 far, 1.1 near, 1.1 edge-1\r\n\r\n");

    forwarding.peer_is_trusted = false;
    EXPECT_EQ(request(received, forwarding),
              "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 2001:db8::9\r\nX-Forwarded-Proto: "
              "http\r\nX-Forwarded-Host: a\r\n"
              "Forwarded: for=\"[2001:db8::9]\";host=\"a\";proto=http\r\nVia: 1.0 far, 1.1 near, 1.1 edge-1\r\n\r\n");
}

TEST(Rewrite, AddsWhatItIsToldTo) {
    const ExtraField extra[] = {{"X-One", "1"}, {"X-Two", "2"}};
    Forwarding forwarding = {.client = "192.0.2.7", .node = "n", .keep_expect = true, .extra = extra};
    EXPECT_EQ(
        request("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", forwarding),
        "PUT / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\n"
        "Forwarded: for=192.0.2.7;host=\"a\";proto=http\r\nVia: 1.1 n\r\nContent-Length: 1\r\nExpect: 100-continue\r\n"
        "X-One: 1\r\nX-Two: 2\r\n\r\n");
    forwarding = {.client = "192.0.2.7", .node = "n", .keep_expect = true};
    EXPECT_EQ(request("GET / HTTP/1.0\r\n\r\n", forwarding),
              "GET / HTTP/1.1\r\nHost: \r\nX-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\n"
              "Forwarded: for=192.0.2.7;proto=http\r\nVia: 1.0 n\r\n\r\n");
}

TEST(Rewrite, GrowsAHeadByNoMoreThanItSays) {
    std::string received = "GET / HTTP/1.1\r\nHost:" + std::string(253, 'a') + ":65535\r\n";
    for (int i = 0; i < 110; ++i) received += "A:b\r\n";
    request(received + "\r\n", {.client = "2001:db8:1111:2222:3333:4444:5555:6666", .node = "edge-1"});
}

TEST(Rewrite, SaysSoWhenTheRoomIsTooSmall) {
    RequestHead head;
    ASSERT_TRUE(parse_request(as_bytes("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), head).complete());
    std::array<std::byte, 60> room;
    ByteWriter out(room);
    write_request_head(out, head, by_tls);
    EXPECT_FALSE(out.ok());
}

std::string response(Method asked, std::string_view received, const Reply& reply) {
    ResponseHead head;
    EXPECT_TRUE(parse_response(as_bytes(received), asked, head).complete()) << received;
    std::array<std::byte, 8192> room;
    ByteWriter out(room);
    write_response_head(out, head, reply);
    EXPECT_TRUE(out.ok());
    return std::string(as_text(out.written()));
}

TEST(Rewrite, WritesResponsesForTheClientThatIsThere) {
    struct Case {
        std::string_view name;
        Method asked;
        std::string_view received;
        Reply reply;
        std::string_view written;
    };
    const Case cases[] = {
        {"a length, kept",
         Method::get,
         "HTTP/1.0 200 Fine\r\nA: 1\r\nConnection: keep-alive, A\r\nKeep-Alive: 5\r\ncontent-length: 5\r\nB: 2\r\n\r\n",
         {.framing = Framing::of_length(5), .node = "n"},
         "HTTP/1.1 200 Fine\r\nB: 2\r\nVia: 1.0 n\r\nContent-Length: 5\r\n\r\n"},
        {"chunks, closed",
         Method::get,
         "HTTP/1.1 200 OK\r\nVia: 1.1 in\r\nTrailer: T\r\nTransfer-Encoding: chunked\r\n\r\n",
         {.framing = Framing::chunked(), .node = "n", .keep_alive = false},
         "HTTP/1.1 200 OK\r\nTrailer: T\r\nVia: 1.1 in, 1.1 n\r\nTransfer-Encoding: chunked\r\nConnection: "
         "close\r\n\r\n"},
        {"chunks for an HTTP/1.0 client end with the connection",
         Method::get,
         "HTTP/1.1 200 OK\r\nTrailer: T\r\nTransfer-Encoding: chunked\r\n\r\n",
         {.framing = Framing::until_close(), .node = "n", .client_minor = 0},
         "HTTP/1.1 200 OK\r\nVia: 1.1 n\r\nConnection: close\r\n\r\n"},
        {"an HTTP/1.0 client is told that it is kept",
         Method::get,
         "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n",
         {.framing = Framing::of_length(0), .node = "n", .client_minor = 0},
         "HTTP/1.1 200 \r\nVia: 1.1 n\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n"},
        {"HEAD keeps the length of what GET would bring",
         Method::head,
         "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
         {.framing = Framing::none(), .node = "n"},
         "HTTP/1.1 200 OK\r\nVia: 1.1 n\r\nContent-Length: 5\r\n\r\n"},
        {"204 has no length",
         Method::get,
         "HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n",
         {.framing = Framing::none(), .node = "n"},
         "HTTP/1.1 204 No\r\nVia: 1.1 n\r\n\r\n"},
        {"an interim response says nothing of the connection",
         Method::get,
         "HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n",
         {.framing = Framing::none(), .node = "n", .keep_alive = false},
         "HTTP/1.1 103 Hints\r\nLink: x\r\nVia: 1.1 n\r\n\r\n"},
        {"a WebSocket opens",
         Method::get,
         "HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Accept: k\r\n\r\n",
         {.framing = Framing::none(), .node = "n", .keep_alive = false},
         "HTTP/1.1 101 Go\r\nSec-WebSocket-Accept: k\r\nVia: 1.1 n\r\nConnection: Upgrade\r\nUpgrade: "
         "websocket\r\n\r\n"},
        {"an offer of HTTP/2 does not pass",
         Method::get,
         "HTTP/1.1 200 OK\r\nUpgrade: h2,h2c\r\nConnection: Upgrade\r\nProxy-Authenticate: x\r\nContent-Length: "
         "1\r\n\r\n",
         {.framing = Framing::of_length(1), .node = "n"},
         "HTTP/1.1 200 OK\r\nVia: 1.1 n\r\nContent-Length: 1\r\n\r\n"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        EXPECT_EQ(response(c.asked, c.received, c.reply), c.written);
    }
}

}  // namespace
}  // namespace sallyport::gate::http
