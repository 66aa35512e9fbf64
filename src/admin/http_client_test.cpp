#include "admin/http_client.hpp"

#include "admin/testing.hpp"

#include <gmock/gmock.h>
#include <sys/wait.h>

using namespace sallyport;
using namespace sallyport::admin;
using namespace sallyport::admin::testing;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

namespace {

using Answer = Result<ClientResponse, CallError>;

// ---------------------------------------------------------------- a server that answers anything at all

io::Task<void> answers_with(io::Loop& loop, io::Cancellation& cancellation, io::Acceptor& acceptor,
                            std::string answer) {
    auto accepted = acceptor.accept();
    while (!accepted) {
        const io::Wait waited = co_await acceptor.readable(io::Deadline::none);
        if (waited != io::Wait::ready) co_return;
        accepted = acceptor.accept();
    }
    io::Stream stream = *io::Stream::adopt(loop, std::move(accepted->fd), cancellation);
    std::byte room[4096];
    co_await stream.read_some(room, io::Deadline::none);
    co_await stream.write_all(answer, io::Deadline::none);
    if (answer.empty()) co_await io::Sleep(loop, cancellation, loop.in(1h));
}

io::Task<void> asks(io::Loop& loop, std::string path, std::string answer, std::optional<Answer>& out) {
    io::Scope server(loop);
    auto acceptor = *io::Acceptor::adopt(loop, *io::listen_unix(path, 0600), server.cancellation());
    server.spawn(answers_with(loop, server.cancellation(), acceptor, std::move(answer)));
    out.emplace(co_await request(loop, path, {.target = "/api/v1/status"}, loop.in(5s)));
    server.cancel();
    co_await server.join();
}

Answer asked(const std::string& answer) {
    const ShortFolder folder;
    io::testing::VirtualLoop loop;
    std::optional<Answer> out;
    loop.run(asks(*loop, folder / "s", answer, out));
    return *out;
}

TEST(HttpClient, reads_what_a_gateway_answers) {
    const struct {
        std::string wire;
        unsigned status;
        std::string type, body;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok", 200, "text/plain", "ok"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n", 200, "", "ok"},
        {"HTTP/1.1 204 No Content\r\n\r\n", 204, "", ""},
        {"HTTP/1.1 503 No\r\nContent-Type: application/problem+json\r\nContent-Length: 2\r\n\r\n{}", 503,
         "application/problem+json", "{}"},
    };
    for (const auto& row : cases) {
        const Answer answer = asked(row.wire);
        ASSERT_TRUE(answer) << row.wire << answer.error().message;
        EXPECT_EQ(answer->status, row.status);
        EXPECT_EQ(answer->content_type, row.type);
        EXPECT_EQ(answer->body, row.body);
    }
}

TEST(HttpClient, tells_failures_apart) {
    const struct {
        std::string wire;
        CallFailure failure;
        std::string says;
    } cases[] = {
        {"HTTP/1.1 403 Forbidden\r\nContent-Length: 16\r\n\r\n{\"detail\":\"you\"}", CallFailure::not_permitted,
         ": you"},
        {"HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nnope", CallFailure::not_permitted, "does not permit it"},
        {"", CallFailure::unreachable, "did not answer in time"},
        {"HTTP/1.1 200 OK\r\nContent-", CallFailure::unreachable, "without a whole answer"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", CallFailure::unreachable, "without a whole answer"},
        {"SSH-2.0-OpenSSH_9.2p1\r\n", CallFailure::broken, "not valid HTTP"},
        {"HTTP/1.1 100 Continue\r\n\r\n", CallFailure::broken, "not valid HTTP"},
        {"HTTP/1.1 200 OK\r\n\r\nuntil the end", CallFailure::broken, "not valid HTTP"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 16777217\r\n\r\n", CallFailure::broken, "larger"},
        {"HTTP/1.1 200 OK\r\nA: " + std::string(20000, 'a'), CallFailure::broken, "larger"},
    };
    for (const auto& row : cases) {
        const Answer answer = asked(row.wire);
        ASSERT_FALSE(answer) << row.wire;
        EXPECT_EQ(answer.error().failure, row.failure) << row.wire;
        EXPECT_THAT(answer.error().message, HasSubstr(row.says));
    }
}

TEST(HttpClient, says_that_no_gateway_is_there) {
    const ShortFolder folder;
    const Answer answer = call(folder / "none.sock", {.target = "/livez"}, 5s);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().failure, CallFailure::unreachable);
    EXPECT_THAT(answer.error().message, HasSubstr("none.sock"));
    EXPECT_EQ(call(folder / std::string(200, 'x'), {.target = "/livez"}, 5s).error().failure, CallFailure::unreachable);
}

TEST(HttpClient, says_that_the_socket_is_not_for_this_user) {
    io::SystemCalls calls = io::real_system_calls;
    calls.connect = [](int, const sockaddr*, socklen_t) { return errno = EACCES, -1; };
    io::testing::VirtualLoop loop(calls);
    std::optional<Answer> out;
    loop.run([](io::Loop& on, std::optional<Answer>& answer) -> io::Task<void> {
        answer.emplace(co_await request(on, "/run/admin.sock", {.target = "/livez"}, on.in(5s)));
    }(*loop, out));
    ASSERT_FALSE(*out);
    EXPECT_EQ(out->error().failure, CallFailure::not_permitted);
}

// ---------------------------------------------------------------- against the real server

struct RealSocket : ::testing::Test {
    FakeControl control;
    Site site{.routes = routes(), .control = control, .trusted_uids = {::geteuid()}};
    RunningServer server{site};
};

TEST_F(RealSocket, takes_the_calls_of_our_own_client) {
    for (int i = 0; i < 3; ++i) {
        const Answer answer = call(server.path(), {.target = "/api/v1/status"}, 30s);
        ASSERT_TRUE(answer) << answer.error().message;
        EXPECT_EQ(answer->body, "{\"node\":\"edge-1\"}\n");
    }
    const Answer reloaded = call(server.path(), {.method = "POST", .target = "/api/v1/reload", .body = "{}"}, 30s);
    ASSERT_TRUE(reloaded) << reloaded.error().message;
    EXPECT_EQ(reloaded->status, 200U);
    const Answer drained = call(server.path(), {.method = "POST", .target = "/api/v1/drain"}, 30s);
    ASSERT_TRUE(drained) << drained.error().message;
    EXPECT_EQ(drained->status, 202U);
    const Answer head = call(server.path(), {.method = "HEAD", .target = "/livez"}, 30s);
    ASSERT_TRUE(head) << head.error().message;
    EXPECT_EQ(head->body, "");
}

std::string output_of(const std::string& command) {
    FILE* pipe = ::popen(command.c_str(), "r");
    std::string out;
    std::array<char, 4096> room;
    for (std::size_t got = 0; (got = std::fread(room.data(), 1, room.size(), pipe)) > 0;) out.append(room.data(), got);
    const int status = ::pclose(pipe);
    if (WEXITSTATUS(status) == 127) return "no curl";
    return out;
}

TEST_F(RealSocket, is_understood_by_curl) {
    const struct {
        std::string arguments, output;
    } cases[] = {
        {"http://x/livez", "ok\n200 text/plain; charset=utf-8|"},
        {"http://x/livez http://x/readyz", "ok\n200 text/plain; charset=utf-8|ok\n200 text/plain; charset=utf-8|"},
        {"http://x/api/v1/status", "{\"node\":\"edge-1\"}\n200 application/json|"},
        {"-X POST http://x/api/v1/reload", "{\"generation\":2}\n200 application/json|"},
        {"-H 'Transfer-Encoding: chunked' -d '{}' http://x/api/v1/reload", "{\"generation\":2}\n200 application/json|"},
        {"-H 'Expect: 100-continue' -d '{}' http://x/api/v1/reload", "{\"generation\":2}\n200 application/json|"},
        {"-G --data-urlencode 'subject=sip:a+b@example.com' -d client=192.0.2.1 http://x/api/v1/explain",
         "{\"source\":\"live\",\"subject\":\"sip:a+b@example.com\"}\n200 application/json|"},
        {"-o /dev/null http://x/nothing", "404 application/problem+json|"},
        {"-o /dev/null -I http://x/api/v1/status", "200 application/json|"},
        {"--http1.0 http://x/livez", "ok\n200 text/plain; charset=utf-8|"},
    };
    for (const auto& row : cases) {
        const std::string out = output_of("curl -sS -m 30 --unix-socket " + server.path() +
                                          " -w '%{http_code} %{content_type}|' " + row.arguments + " 2>&1");
        if (out == "no curl") GTEST_SKIP() << "curl is not installed: ./dev deps";
        EXPECT_EQ(out, row.output) << row.arguments;
    }
}

TEST_F(RealSocket, takes_a_large_body_from_curl_and_refuses_a_larger_one) {
    const ShortFolder folder;
    for (const auto& [size, status] : {std::pair(max_body, "400"), std::pair(max_body + 1, "413")}) {
        const std::string file = folder / "body";
        FILE* body = std::fopen(file.c_str(), "w");
        const std::string text(size, ' ');
        std::fwrite(text.data(), 1, text.size(), body);
        std::fclose(body);
        const std::string out = output_of("curl -sS -m 30 -o /dev/null --unix-socket " + server.path() +
                                          " -w '%{http_code}' --data-binary @" + file + " http://x/api/v1/reload 2>&1");
        if (out == "no curl") GTEST_SKIP() << "curl is not installed: ./dev deps";
        EXPECT_EQ(out, status) << size;
    }
}

}  // namespace
