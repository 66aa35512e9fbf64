#include "gate/tunnel.hpp"

#include "gate/testing.hpp"

#include <gtest/gtest.h>

#include <string>

using namespace sallyport;
using namespace sallyport::gate;
using namespace std::chrono_literals;
using gate::testing::snapshot_of;
using gate::testing::TestGate;
using telemetry::Reason;

namespace {

std::string services(std::initializer_list<const char*> names) {
    std::string text = "[node]\ndrain_timeout = \"30s\"\n";
    for (const char* name : names) {
        text += "[[service]]\nname = " + std::string(name) +
                "\nprotocol = \"http\"\ntarget = [\"10.0.0.1\"]\nplain_port = 80\n";
    }
    return text;
}

// A tunnel of the service, with both its ends at hand.
struct Passage {
    TestGate at;
    std::uint32_t active = 0;
    std::optional<Duration> lasted;

    void use(std::initializer_list<const char*> names) { at.gate.adopt(snapshot_of(at.book, services(names))); }
    std::uint64_t ended(Reason reason) const {
        return at.ended(telemetry::Protocol::http, telemetry::Verdict::forwarded, reason);
    }
    auto sleep(Duration duration) {
        static io::Cancellation never;
        return io::Sleep(*at.loop, never, at.loop->in(duration));
    }
};

struct Ends {
    io::testing::StreamPair client;
    io::testing::StreamPair target;
};

io::Task<void> carries(Passage& in, Session& session, Ends& ends, std::string service) {
    auto state = std::make_shared<TargetState>();
    const SteadyTime before = in.at.loop->now();
    co_await carry(session, ends.client.near,
                   std::make_unique<Tunnel>(Tunnel{.target = {.stream = std::move(ends.target.near),
                                                              .lease = *Lease::take(state, nullptr, 0),
                                                              .text = "10.0.0.1:80",
                                                              .server_name = {}},
                                                   .protocol = config::Protocol::http,
                                                   .service = std::move(service),
                                                   .looked_for = "a.example.com",
                                                   .method = "GET",
                                                   .url = "/socket",
                                                   .status = 101,
                                                   .since = before,
                                                   .began = in.at.loop->wall(),
                                                   .relayed = {.to_target = 100, .to_client = 1000}}));
    EXPECT_EQ(state->active(), 0U);
    in.lasted = in.at.loop->now() - before;
}

}  // namespace

TEST(Tunnel, PassesBytesBothWaysAndLeavesOneRecord) {
    Passage passage;
    passage.use({"\"a.example.com\""});
    passage.at.run([](Passage& in) -> io::Task<void> {
        Session session(in.at.gate, in.at.listener, *SocketAddress::parse("192.0.2.1:4000"));
        Ends ends{{*in.at.loop, session.cancellation}, {*in.at.loop, session.cancellation}};
        io::Scope scope(*in.at.loop);
        scope.spawn(carries(in, session, ends, "a.example.com"));
        EXPECT_EQ(session.service, "a.example.com");
        EXPECT_EQ(session.target, "10.0.0.1:80");
        EXPECT_NE(session.tunnel, nullptr);
        ends.client.far.write(as_bytes("ping"));
        co_await in.sleep(24h);  // it may idle for days
        char room[100];
        EXPECT_EQ(::recv(ends.target.far.fd(), room, sizeof room, 0), 4);
        ends.target.far.write(as_bytes("pong, and more"));
        co_await in.sleep(1s);
        EXPECT_EQ(::recv(ends.client.far.fd(), room, sizeof room, 0), 14);
        EXPECT_EQ(session.tunnel->relayed.to_target, 104U);
        EXPECT_EQ(session.tunnel->relayed.to_client, 1014U);
        ends.client.far.shutdown_write();
        co_await in.sleep(1s);
        EXPECT_FALSE(in.lasted) << "the other way is open";
        ends.target.far.shutdown_write();
        co_await scope.join();
        EXPECT_EQ(session.tunnel, nullptr);
        EXPECT_EQ(session.service, "");
        EXPECT_EQ(session.target, "");
    }(passage));
    EXPECT_EQ(passage.ended(Reason::ok), 1U);
    const auto& numbers = passage.at.counters.numbers().of(telemetry::Protocol::http);
    EXPECT_EQ(numbers.bytes_in.value(), 104U) << "with what passed before it was a tunnel";
    EXPECT_EQ(numbers.bytes_out.value(), 1014U);
}

TEST(Tunnel, EndsWhenItIsToldToAndSaysWhy) {
    for (const Reason reason : {Reason::killed, Reason::draining}) {
        Passage passage;
        passage.use({"\"a.example.com\""});
        passage.at.run([](Passage& in, Reason why) -> io::Task<void> {
            Session session(in.at.gate, in.at.listener, *SocketAddress::parse("192.0.2.1:4000"));
            Ends ends{{*in.at.loop, session.cancellation}, {*in.at.loop, session.cancellation}};
            io::Scope scope(*in.at.loop);
            scope.spawn(carries(in, session, ends, "a.example.com"));
            co_await in.sleep(1h);
            session.end(why);
            session.end(Reason::service_removed);  // who tells it again changes nothing
            co_await scope.join();
        }(passage, reason));
        EXPECT_EQ(passage.ended(reason), 1U) << code(reason);
    }
}

TEST(Tunnel, OfAServiceThatIsGoneEndsAfterTheDrainTime) {
    struct Case {
        const char* what;
        const char* before;  // names of its service
        std::initializer_list<const char*> after;
        bool ends;
    };
    const Case cases[] = {
        {"it stays", "\"a.example.com\"", {"\"a.example.com\""}, false},
        {"it is gone", "\"a.example.com\"", {"\"b.example.com\""}, true},
        {"its name is another's second", "\"a.example.com\"", {"[\"b.example.com\", \"a.example.com\"]"}, false},
        {"a wildcard stays", "\"*.example.com\"", {"\"*.example.com\"", "\"b.example.com\""}, false},
        {"a wildcard is gone", "\"*.example.com\"", {"\"b.example.com\""}, true},
        {"a wildcard is gone, a wider one is there", "\"*.in.example.com\"", {"\"*.example.com\""}, true},
        {"it is gone, and a wildcard would take its name", "\"a.example.com\"", {"\"*.example.com\""}, true},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.what);
        Passage passage;
        passage.use({c.before});
        passage.at.run([](Passage& in, const Case& how) -> io::Task<void> {
            Session session(in.at.gate, in.at.listener, *SocketAddress::parse("192.0.2.1:4000"));
            Ends ends{{*in.at.loop, session.cancellation}, {*in.at.loop, session.cancellation}};
            io::Scope scope(*in.at.loop);
            scope.spawn(carries(in, session, ends, in.at.gate.snapshot()->routing->services()[0].name));
            co_await in.sleep(1s);
            in.use(how.after);
            co_await in.sleep(29s);
            EXPECT_FALSE(in.lasted);
            co_await in.sleep(2s);
            EXPECT_EQ(in.lasted.has_value(), how.ends);
            session.end(Reason::killed);
            co_await scope.join();
        }(passage, c));
        EXPECT_EQ(passage.ended(Reason::service_removed), c.ends ? 1U : 0U);
        EXPECT_EQ(passage.ended(Reason::killed), c.ends ? 0U : 1U);
    }
}

TEST(Tunnel, GoesOnWhenItsServiceIsBackInTime) {
    Passage passage;
    passage.use({"\"a.example.com\""});
    passage.at.run([](Passage& in) -> io::Task<void> {
        Session session(in.at.gate, in.at.listener, *SocketAddress::parse("192.0.2.1:4000"));
        Ends ends{{*in.at.loop, session.cancellation}, {*in.at.loop, session.cancellation}};
        io::Scope scope(*in.at.loop);
        scope.spawn(carries(in, session, ends, "a.example.com"));
        in.use({"\"b.example.com\""});
        co_await in.sleep(10s);
        in.use({"\"a.example.com\""});
        co_await in.sleep(1h);
        EXPECT_FALSE(in.lasted);
        session.end(Reason::killed);
        co_await scope.join();
    }(passage));
}
