#include "gate/targets/connect_testing.hpp"

#include <gtest/gtest.h>

#include <string>

using namespace sallyport;
using namespace sallyport::gate;
using namespace sallyport::gate::testing;
using namespace std::chrono_literals;

namespace {

// The targets' side of a handshake; then the name that was asked for.
io::Task<void> shake(io::Loop& loop, io::Fd fd, std::string& server_name) {
    io::Cancellation never;
    io::Stream stream = *io::Stream::adopt(loop, std::move(fd), never);
    stream.attach(certificates().server->accept());
    const io::Handshake shaken = co_await io::handshake(stream, io::Deadline::none);
    server_name = stream.tls()->server_name();
    if (shaken.failure == io::TlsFailure::none) (void)co_await io::testing::read_to_end(stream);
}

}  // namespace

TEST(TargetSearch, ATlsLegIsCheckedForTheNameThatFits) {
    struct Case {
        const char* target;
        const char* client_asks;
        std::string found;
        const char* server_name;
        Condition condition;
    };
    const Case cases[] = {
        {"\"10.0.0.1\"", "a.example.com", "10.0.0.1:443", "a.example.com", Condition::up},
        {"\"pbx.example.net\"", "a.example.com", "pbx.example.net:443", "pbx.example.net", Condition::up},
        {"\"pbx.example.net\"", "b.example.com", "pbx.example.net:443", "pbx.example.net", Condition::up},
        // The certificate has no b.example.com; whoever asks for a.example.com is served by it all the same.
        {"\"10.0.0.1\"", "b.example.com", "! target.tls", "b.example.com", Condition::up},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(std::string(c.target) + " for " + c.client_asks);
        Hall hall;
        hall.use(service(c.target, "tls_port = 443"));
        hall.at.gate.adopt(std::make_shared<const net::NameTable>(
            net::NameTable{{{"pbx.example.net", {*IpAddress::parse("10.0.0.7")}}}}));
        hall.at.run([](Hall& in, const Case& how) -> io::Task<void> {
            io::Scope scope(*in.at.loop);
            std::string server_name;
            in.at.targets.accepted = [&](const std::string&, io::Fd end) {
                scope.spawn(shake(*in.at.loop, std::move(end), server_name));
            };
            {
                Guest guest(in, how.client_asks);
                TargetSearch search = guest.search(in);
                Connected connected = co_await search.next(Reuse::any);
                EXPECT_EQ(say(connected), how.found);
                if (connected) {
                    EXPECT_TRUE(connected->tls);
                    EXPECT_EQ(connected->server_name, how.server_name);
                    EXPECT_TRUE(connected->stream.is_tls());
                } else {
                    EXPECT_FALSE(connected.error().detail.empty());
                }
                EXPECT_EQ(in.state(0).condition(), how.condition);
            }
            co_await scope.join();
            EXPECT_EQ(server_name, how.server_name);
            EXPECT_EQ(in.active(), 0U);
        }(hall, c));
    }
}

TEST(TargetSearch, ATlsConnectionIsReusedForItsNameAlone) {
    Hall hall;
    const auto careless = *io::TlsClient::create({.verify = false});
    hall.snapshot = snapshot_of(hall.at.book, service("\"10.0.0.1\"", "tls_port = 443"), careless);
    hall.at.gate.adopt(hall.snapshot);
    hall.at.run([](Hall& in) -> io::Task<void> {
        io::Scope scope(*in.at.loop);
        std::string server_name;
        in.at.targets.accepted = [&](const std::string&, io::Fd end) {
            scope.spawn(shake(*in.at.loop, std::move(end), server_name));
        };
        {
            Guest a(in, "a.example.com");
            Guest b(in, "b.example.com");
            TargetSearch first = a.search(in);
            Connected connection = co_await first.next(Reuse::any);
            // Session tickets come unasked; a reader takes them.
            std::byte room[10];
            const io::Got nothing = co_await connection->stream.read_some(room, in.at.loop->in(1s));
            EXPECT_EQ(nothing.io, io::Io::again);
            in.at.gate.kept().put(std::move(*connection));
            TargetSearch other = b.search(in);
            EXPECT_EQ(say(co_await other.next(Reuse::any)), "10.0.0.1:443");
            EXPECT_FALSE(other.reused());
            TargetSearch same = a.search(in);
            EXPECT_EQ(say(co_await same.next(Reuse::any)), "10.0.0.1:443");
            EXPECT_TRUE(same.reused());
        }
        co_await scope.join();
    }(hall));
}

TEST(TargetSearch, ATargetThatBreaksItsHandshakeIsFailing) {
    struct Case {
        const char* what;
        bool hangs_up;
        const char* reason;
        Duration took;
    };
    for (const Case& c :
         {Case{"hangs up", true, "! target.tls", 0s}, Case{"says nothing", false, "! target.timeout", 5s}}) {
        SCOPED_TRACE(c.what);
        Hall hall;
        hall.use(service("\"10.0.0.1\"", "tls_port = 443"));
        if (c.hangs_up) hall.at.targets.accepted = nullptr;
        hall.at.run([](Hall& in, const Case& how) -> io::Task<void> {
            Guest guest(in);
            TargetSearch search = guest.search(in);
            const SteadyTime before = in.at.loop->now();
            EXPECT_EQ(say(co_await search.next(Reuse::any)), how.reason);
            EXPECT_LT(in.at.loop->now() - before, how.took + 50ms);
            EXPECT_EQ(in.state(0).condition(), Condition::failing);
            EXPECT_EQ(in.active(), 0U);
        }(hall, c));
    }
}
