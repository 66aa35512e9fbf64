#include "turn/uri.hpp"

#include <gtest/gtest.h>

namespace sallyport::turn {
namespace {

TEST(Uri, SaysHostPortAndTransports) {
    using enum Transport;
    const struct {
        std::string text, host;
        std::uint16_t port;
        bool relays;
        std::vector<Transport> transports;
    } cases[] = {
        {"turn:turn.example.com", "turn.example.com", 3478, true, {udp, tcp}},
        {"turn:turn.example.com:443?transport=tcp", "turn.example.com", 443, true, {tcp}},
        {"turn:192.0.2.1?transport=udp", "192.0.2.1", 3478, true, {udp}},
        {"turns:turn.example.com", "turn.example.com", 5349, true, {tls}},
        {"turns:turn.example.com:443?transport=tcp", "turn.example.com", 443, true, {tls}},
        {"turns:turn.example.com?transport=udp", "turn.example.com", 5349, true, {dtls}},
        {"turn:[2001:db8::1]:3479", "2001:db8::1", 3479, true, {udp, tcp}},
        {"stun:[2001:db8::1]", "2001:db8::1", 3478, false, {udp, tcp}},
        {"stuns:stun.example.com", "stun.example.com", 5349, false, {tls}},
    };
    for (const auto& c : cases) {
        SCOPED_TRACE(c.text);
        const auto uri = Uri::parse(c.text);
        ASSERT_TRUE(uri);
        EXPECT_EQ(uri->host, c.host);
        EXPECT_EQ(uri->port, c.port);
        EXPECT_EQ(uri->relays, c.relays);
        EXPECT_EQ(uri->transports, c.transports);
    }
}

TEST(Uri, RefusesWhatIsNone) {
    for (const char* text :
         {"", "turn", "turn:", "turn.example.com", "https://turn.example.com", "turn:host:0", "turn:host:70000",
          "turn:host:", "turn:[::1", "turn:[::1]x", "turn:host?transport=sctp", "turn:host?x", "TURN"})
        EXPECT_FALSE(Uri::parse(text)) << text;
}

}  // namespace
}  // namespace sallyport::turn
