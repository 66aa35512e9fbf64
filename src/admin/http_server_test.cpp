#include "admin/http_server.hpp"

#include "admin/inbox.hpp"
#include "admin/testing.hpp"
#include "certs/self_signed.hpp"

#include <gmock/gmock.h>

using namespace sallyport;
using namespace sallyport::admin;
using namespace sallyport::admin::testing;
using namespace std::chrono_literals;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

namespace {

io::Task<Response> echo(Control&, const Request& request) {
    std::string out = request.method + " " + request.path + "\n";
    for (const auto& [name, value] : request.query) out += name + " is " + value + "\n";
    co_return text_response(out + request.body);
}

constexpr Route test_routes[] = {
    {"GET", "/echo", Access::trusted, echo},       {"POST", "/echo", Access::trusted, echo},
    {"POST", "/only-post", Access::trusted, echo}, {"GET", "/open", Access::anyone, echo},
    {"GET", "/numbers", Access::metrics, echo},
};

struct HttpServer : ::testing::Test {
    FakeControl control;
    Site site{.routes = test_routes, .control = control};

    std::string told_root(const std::string& sent) const { return told(site, root, sent); }
};

std::size_t count(std::string_view text, std::string_view part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
    return found;
}

std::string chunked(const std::string& body_on_the_wire) {
    return "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n" +
           body_on_the_wire;
}

// ---------------------------------------------------------------- what is asked

TEST_F(HttpServer, hands_method_path_query_and_body_to_the_handler) {
    EXPECT_EQ(body_of(told_root(ask("POST", "/echo?a=1&b=%20x", "the body"))), "POST /echo\na is 1\nb is  x\nthe body");
}

TEST_F(HttpServer, reads_a_body_in_chunks) {
    EXPECT_EQ(body_of(told_root(chunked("4\r\nthe \r\n4;x=y\r\nbody\r\n0\r\nDigest: 1\r\n\r\n"))),
              "POST /echo\nthe body");
}

TEST_F(HttpServer, answers_several_requests_on_one_connection) {
    const std::string one = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\none";
    const std::string two = "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n";
    const std::string got = told_root(one + two + ask("POST", "/echo", "three") + "GET /too-late");
    EXPECT_EQ(count(got, "HTTP/1.1 200 OK\r\n"), 2U);
    EXPECT_EQ(count(got, "HTTP/1.1 404 Not Found\r\n"), 1U);
    EXPECT_EQ(count(got, "Connection: keep-alive\r\n"), 2U);
    EXPECT_EQ(count(got, "Connection: close\r\n"), 1U);
    EXPECT_THAT(got, EndsWith("POST /echo\nthree"));
}

TEST_F(HttpServer, keeps_a_connection_of_http_1_0_only_when_asked) {
    EXPECT_THAT(told_root("GET /echo HTTP/1.0\r\n\r\n"), HasSubstr("\r\nConnection: close\r\n"));
    EXPECT_THAT(told_root("GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
                HasSubstr("\r\nConnection: keep-alive\r\n"));
}

TEST_F(HttpServer, answers_head_like_get_without_the_body) {
    const std::string got = told_root(ask("HEAD", "/echo"));
    EXPECT_EQ(status_of(got), 200);
    EXPECT_THAT(got, HasSubstr("\r\nContent-Length: 11\r\n"));
    EXPECT_EQ(body_of(got), "");
}

TEST_F(HttpServer, names_the_methods_that_a_path_has) {
    const struct {
        std::string method, path, allow;
    } cases[] = {
        {"DELETE", "/echo", "\r\nAllow: GET, HEAD, POST\r\n"},
        {"GET", "/only-post", "\r\nAllow: POST\r\n"},
        {"HEAD", "/only-post", "\r\nAllow: POST\r\n"},
        {"get", "/open", "\r\nAllow: GET, HEAD\r\n"},
    };
    for (const auto& row : cases) {
        const std::string got = told_root(ask(row.method, row.path));
        EXPECT_EQ(status_of(got), 405) << row.method << row.path;
        EXPECT_THAT(got, HasSubstr(row.allow));
    }
}

TEST_F(HttpServer, asks_for_the_body_that_a_client_holds_back) {
    const std::string head =
        "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: ";
    const std::string refused = told_root(head + "1048577\r\n\r\n");
    EXPECT_EQ(status_of(refused), 413);
    EXPECT_THAT(refused, Not(HasSubstr("100 Continue")));
    EXPECT_THAT(told_root(head + "4\r\n\r\n"), ::testing::StartsWith("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 408 "));
}

// ---------------------------------------------------------------- what is refused

TEST_F(HttpServer, refuses_with_a_problem_that_programs_can_read) {
    const std::string mebibyte(max_body, 'b');
    const struct {
        std::string what, sent;
        int status;
        std::string reason;
    } cases[] = {
        {"no such path", ask("GET", "/nothing"), 404, ""},
        {"broken query", ask("GET", "/echo?a=%"), 400, ""},
        {"no host", "GET /echo HTTP/1.1\r\n\r\n", 400, "peek.malformed"},
        {"bare line feeds", "GET /echo HTTP/1.1\nHost: a\n\n", 400, "peek.malformed"},
        {"length and chunks", chunked("0\r\n\r\n").insert(22, "Content-Length: 5\r\n"), 400, "peek.malformed"},
        {"tls", "\x16\x03\x01\x02", 400, "peek.malformed"},
        {"proxy request", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "peek.malformed"},
        {"http/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "peek.malformed"},
        {"head without end", "GET /echo HTTP/1.1\r\nHost: a\r\nA: " + std::string(max_head, 'a'), 431,
         "peek.too_large"},
        {"head one byte too long",
         "GET /echo HTTP/1.1\r\nHost: a\r\nA: " + std::string(max_head - 35, 'a') + "\r\n\r\n", 431, "peek.too_large"},
        {"body too long", ask("POST", "/echo", mebibyte + "b"), 413, ""},
        {"chunked body too long", chunked("100001\r\n" + mebibyte + "b\r\n0\r\n\r\n"), 413, ""},
        {"chunk of a strange size", chunked("x\r\n\r\n"), 400, "body.malformed"},
        {"half a head", "GET /echo HT", 408, "peek.timeout"},
        {"half a body", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab", 408, "client.stalled"},
    };
    for (const auto& row : cases) {
        const std::string got = told_root(row.sent);
        EXPECT_EQ(status_of(got), row.status) << row.what;
        EXPECT_THAT(got, HasSubstr("\r\nContent-Type: application/problem+json\r\n")) << row.what;
        EXPECT_THAT(got, HasSubstr("\r\nConnection: close\r\n")) << row.what;
        const auto problem = nlohmann::json::parse(body_of(got), nullptr, false);
        ASSERT_TRUE(problem.is_object()) << row.what << ": " << got;
        EXPECT_EQ(problem["status"], row.status) << row.what;
        EXPECT_EQ(problem["title"], http::reason_phrase(static_cast<unsigned>(row.status))) << row.what;
        EXPECT_NE(problem["detail"], "") << row.what;
        EXPECT_EQ(problem.value("reason", ""), row.reason) << row.what;
    }
}

TEST_F(HttpServer, takes_the_largest_head_and_body_that_it_may) {
    const std::string head = "GET /open HTTP/1.1\r\nHost: a\r\nConnection: close\r\nA: ";
    EXPECT_EQ(status_of(told_root(head + std::string(max_head - head.size() - 4, 'a') + "\r\n\r\n")), 200);
    const std::string body(max_body, 'b');
    EXPECT_THAT(told_root(ask("POST", "/echo", body)), EndsWith("\n" + body));
}

TEST_F(HttpServer, lets_each_peer_see_only_what_is_for_it) {
    site.trusted_uids = {991};
    site.metrics_from = NetworkSet(std::array{*Network::parse("10.0.0.0/8")});
    const struct {
        Peer peer;
        std::string method, path;
        int status;
    } cases[] = {
        {root, "GET", "/echo", 200},
        {UnixPeer{.uid = 991, .pid = 7}, "GET", "/echo", 200},
        {UnixPeer{.uid = 1000, .pid = 7}, "GET", "/echo", 403},
        {UnixPeer{.uid = 1000, .pid = 7}, "DELETE", "/echo", 403},
        {UnixPeer{.uid = 1000, .pid = 7}, "GET", "/numbers", 403},
        {UnixPeer{.uid = 1000, .pid = 7}, "GET", "/open", 200},
        {UnixPeer{.uid = static_cast<uid_t>(-1), .pid = 0}, "GET", "/echo", 403},
        {from("127.0.0.1"), "GET", "/echo", 404},
        {from("127.0.0.1"), "DELETE", "/echo", 404},
        {from("127.0.0.1"), "POST", "/only-post", 404},
        {from("127.0.0.1"), "GET", "/open", 200},
        {from("127.0.0.1"), "POST", "/open", 405},
        {from("127.0.0.1"), "GET", "/numbers", 200},
        {from("::1"), "GET", "/numbers", 200},
        {from("10.9.8.7"), "GET", "/numbers", 200},
        {from("::ffff:10.9.8.7"), "GET", "/numbers", 200},
        {from("192.0.2.1"), "GET", "/numbers", 404},
        {from("192.0.2.1"), "GET", "/open", 200},
    };
    for (const auto& row : cases) {
        EXPECT_EQ(status_of(told(site, row.peer, ask(row.method, row.path))), row.status)
            << row.method << " " << row.path << " by peer " << &row - cases;
    }
    EXPECT_EQ(told(site, from("192.0.2.1"), ask("GET", "/echo")), told(site, from("192.0.2.1"), ask("GET", "/nothing")))
        << "a path that is hidden looks like one that is not there";
}

// ---------------------------------------------------------------- time

struct Drip {
    std::string text;
    Duration pause;
};

io::Task<void> drips(io::Loop& loop, const Site& site, Drip drip, std::string& got, Duration& took) {
    io::Scope scope(loop);
    io::testing::StreamPair pair(loop, scope.cancellation());
    scope.spawn(serve(std::move(pair.near), site, root));
    scope.spawn([](io::Loop& on, io::Scope& within, io::Stream& stream, Drip what) -> io::Task<void> {
        for (const char c : what.text) {
            stream.write(as_bytes({&c, 1}));
            co_await io::Sleep(on, within.cancellation(), on.in(what.pause));
        }
    }(loop, scope, pair.far, drip));
    const SteadyTime begin = loop.now();
    got = co_await io::testing::read_to_end(pair.far);
    took = loop.now() - begin;
    co_await scope.join();
}

TEST_F(HttpServer, gives_a_request_ten_seconds_however_it_comes) {
    const std::string request = "GET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    const std::string body = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    const struct {
        std::string what;
        Drip drip;
        int status;
        Duration took;
    } cases[] = {
        {"byte by byte in time", {request, 100ms}, 200, 100ms * (static_cast<int>(request.size()) - 1)},
        {"byte by byte too slow", {request, 1s}, 408, 10s},
        {"a body too slow", {body + "1\r\na\r\n1\r\na\r\n1\r\na\r\n1\r\na\r\n1\r\na\r\n", 130ms}, 408, 10s},
        {"nothing at all", {"", 0s}, 0, 10s},
    };
    for (const auto& row : cases) {
        io::testing::VirtualLoop loop;
        std::string got;
        Duration took{};
        loop.run(drips(*loop, site, row.drip, got, took));
        EXPECT_EQ(status_of(got), row.status) << row.what;
        EXPECT_GE(took, row.took) << row.what;
        EXPECT_LT(took, row.took + 100ms) << row.what << ": a tick of the timer wheel is the rounding of each pause";
    }
}

io::Task<void> is_cancelled(io::Loop& loop, const Site& site, const std::string& sent, std::string& got) {
    io::Cancellation other;
    io::Scope scope(loop);
    auto [near, far] = io::testing::socket_pair();
    scope.spawn(serve(*io::Stream::adopt(loop, std::move(near), scope.cancellation()), site, root));
    io::Stream peer = *io::Stream::adopt(loop, std::move(far), other);
    peer.write(as_bytes(sent));
    co_await io::Sleep(loop, other, loop.in(1s));
    scope.cancel();
    const SteadyTime then = loop.now();
    got = co_await io::testing::read_to_end(peer);
    EXPECT_EQ(loop.now(), then);
    co_await scope.join();
}

TEST_F(HttpServer, ends_at_once_and_silently_when_it_is_cancelled) {
    for (const std::string sent :
         {"", "GET /echo HT", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab"}) {
        io::testing::VirtualLoop loop;
        std::string got;
        loop.run(is_cancelled(*loop, site, sent, got));
        EXPECT_EQ(got, "") << sent;
    }
}

io::Task<void> goes_away(io::Loop& loop, const Site& site, const std::string& sent) {
    io::Scope scope(loop);
    io::testing::StreamPair pair(loop, scope.cancellation());
    scope.spawn(serve(std::move(pair.near), site, root));
    pair.far.write(as_bytes(sent));
    pair.far.close();
    const SteadyTime then = loop.now();
    co_await scope.join();
    EXPECT_EQ(loop.now(), then);
}

TEST_F(HttpServer, forgets_a_peer_that_goes_away) {
    for (const std::string sent : {"", "GET /ec", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab"}) {
        io::testing::VirtualLoop loop;
        loop.run(goes_away(*loop, site, sent));
    }
}

// ---------------------------------------------------------------- accepting

io::Task<void> waits_for_an_answer(io::Loop& loop, io::Cancellation& cancellation, std::string path, std::string& got) {
    auto stream = co_await io::connect_unix(loop, cancellation, path, loop.in(1s));
    co_await io::Sleep(loop, cancellation, loop.in(1s));  // all are there before the first of them goes
    got = stream ? co_await io::testing::read_to_end(*stream) : "no connection";
}

io::Task<void> crowds(io::Loop& loop, const Site& site, std::string path, std::vector<std::string>& got) {
    io::Scope server(loop);
    io::Scope clients(loop);
    auto acceptor = io::Acceptor::adopt(loop, *io::listen_unix(path, 0600), server.cancellation());
    server.spawn(accept_and_serve(loop, server.cancellation(), std::move(*acceptor), site, {}));
    for (std::string& each : got) clients.spawn(waits_for_an_answer(loop, clients.cancellation(), path, each));
    co_await clients.join();
    server.cancel();
    co_await server.join();
}

TEST_F(HttpServer, turns_away_what_is_more_than_its_limit) {
    const ShortFolder folder;
    io::testing::VirtualLoop loop;
    std::vector<std::string> got(2 * max_connections + 3, "unanswered");
    loop.run(crowds(*loop, site, folder / "s", got));
    for (std::size_t i = 0; i < got.size(); ++i) {
        const bool refused = i >= max_connections && i < 2 * max_connections;
        EXPECT_EQ(status_of(got[i]), refused ? 503 : 0) << i;
        if (refused) EXPECT_THAT(got[i], HasSubstr("\"reason\":\"limit.connections\""));
    }
}

io::Task<void> stays_until_it_is_cut(io::Loop& loop, const Site& site, std::string path) {
    io::Scope server(loop);
    auto acceptor = io::Acceptor::adopt(loop, *io::listen_unix(path, 0600), server.cancellation());
    server.spawn(accept_and_serve(loop, server.cancellation(), std::move(*acceptor), site, {}));
    io::Cancellation never;
    auto stream = co_await io::connect_unix(loop, never, path, io::Deadline::none);
    co_await stream->write_all("GET /open HTTP/1.1\r\nHost: a\r\n\r\n", io::Deadline::none);
    std::byte room[4096];
    const io::Got got = co_await stream->read_some(room, io::Deadline::none);
    EXPECT_EQ(got.io, io::Io::ok);
    const SteadyTime then = loop.now();
    server.cancel();
    EXPECT_EQ(co_await io::testing::read_to_end(*stream), "");
    co_await server.join();
    EXPECT_EQ(loop.now(), then);
}

TEST_F(HttpServer, cuts_idle_connections_when_the_listener_ends) {
    const ShortFolder folder;
    io::testing::VirtualLoop loop;
    loop.run(stays_until_it_is_cut(*loop, site, folder / "s"));
}

struct TcpCase {
    std::string path;
    TlsSource tls = {};
    std::shared_ptr<io::TlsClient> client_tls = {};  // null: a plain client
};

io::Task<void> asks_over_tcp(io::Loop& loop, const Site& site, TcpCase asked, std::string& got) {
    io::Scope server(loop);
    auto listening = *io::listen_tcp({*IpAddress::parse("127.0.0.1"), 0}, {});
    const SocketAddress where = io::local_address(listening.get());
    auto acceptor = io::Acceptor::adopt(loop, std::move(listening), server.cancellation());
    server.spawn(accept_and_serve(loop, server.cancellation(), std::move(*acceptor), site, asked.tls));
    io::Cancellation never;
    auto stream = co_await io::connect_tcp(loop, never, where, std::nullopt, io::Deadline::none);
    if (asked.client_tls) {
        stream->attach(asked.client_tls->connect("admin.example.com"));
        const io::Handshake done = co_await io::handshake(*stream, io::Deadline::none);
        EXPECT_EQ(done.failure, io::TlsFailure::none) << done.detail;
    }
    co_await stream->write_all(ask("GET", asked.path), io::Deadline::none);
    got = co_await io::testing::read_to_end(*stream);
    stream->close();
    server.cancel();
    co_await server.join();
}

std::string told_over_tcp(const Site& site, const TcpCase& asked) {
    io::testing::VirtualLoop loop;
    std::string got;
    loop.run(asks_over_tcp(*loop, site, asked, got));
    return got;
}

TEST_F(HttpServer, knows_a_tcp_peer_from_a_unix_peer) {
    for (const auto& [path, status] : {std::pair("/open", 200), std::pair("/numbers", 200), std::pair("/echo", 404)}) {
        EXPECT_EQ(status_of(told_over_tcp(site, {.path = path})), status) << path;
    }
}

TEST_F(HttpServer, speaks_tls_and_nothing_else_where_it_is_meant) {
    const WallTime now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
    const auto credential = *certs::self_signed({"admin.example.com"}, {}, 1, now);
    io::TlsServer::Options options;
    options.ticket_keys = io::TicketKeys::random();
    const auto server = *io::TlsServer::create(std::span(&credential, 1), std::move(options));
    const auto client = *io::TlsClient::create({.ca_pems = {credential.chain_pem}});
    const TlsSource tls = [&server] { return server; };
    EXPECT_EQ(status_of(told_over_tcp(site, {.path = "/open", .tls = tls, .client_tls = client})), 200);
    EXPECT_EQ(status_of(told_over_tcp(site, {.path = "/open", .tls = tls})), 0) << "a plain client";
    EXPECT_EQ(status_of(told_over_tcp(site, {.path = "/open", .tls = [] { return nullptr; }})), 0) << "no certificate";
}

}  // namespace
