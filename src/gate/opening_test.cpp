// How long a connection may take to say where it wants to go, whatever it says before.
#include "gate/testing.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <string>
#include <string_view>

using namespace sallyport;
using namespace sallyport::gate;
using namespace std::chrono_literals;
using namespace std::string_view_literals;
using gate::testing::snapshot_of;
using gate::testing::TestGate;

namespace {

constexpr int sip_kind = 1, ldap_kind = 2;  // places in dialects()

constexpr std::string_view services = R"(
[[service]]
name = "hq.example.com"
protocol = "sip"
target = ["10.0.0.1"]
plain_port = 5060
)";

// Says the same every three seconds for a minute.
io::Task<void> repeats(TestGate& in, int kind, std::string_view words) {
    listeners::Listener listener;
    listener.kind = kind;
    auto [near, far] = io::testing::socket_pair();
    in.gate.take(std::make_shared<const listeners::Listener>(listener),
                 {.fd = std::move(near), .peer = *SocketAddress::parse("192.0.2.1:4000")});
    io::Cancellation never;
    for (int i = 0; i < 20; ++i) {
        ::send(far.get(), words.data(), words.size(), MSG_NOSIGNAL);
        co_await io::Sleep(*in.loop, never, in.loop->in(3s));
    }
}

}  // namespace

TEST(Opening, IsNotMadeLongerByWhatIsNoFirstRequest) {
    struct Case {
        const char* what;
        int kind;
        std::string_view words;
        telemetry::Protocol protocol;
    };
    const Case cases[] = {
        {"keep-alives", sip_kind, "\r\n\r\n", telemetry::Protocol::sip},
        {"StartTLS where there is no certificate", ldap_kind,
         "\x30\x1d\x02\x01\x01\x77\x18\x80\x16"
         "1.3.6.1.4.1.1466.20037",
         telemetry::Protocol::ldap},
    };
    for (const Case& c : cases) {
        TestGate at;
        at.gate.adopt(snapshot_of(at.book, services));
        at.run(repeats(at, c.kind, c.words));
        EXPECT_EQ(at.ended(c.protocol, telemetry::Verdict::refused, telemetry::Reason::peek_timeout), 1U) << c.what;
    }
}
