#include "cli/push_settings.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sallyport::cli {
namespace {

// Couriers are looked up with these, and not with what the system asks, which may well be this gateway.
TEST(PushPolicy, LooksNamesUpWithItsResolversElseWithTheUpstreamsOfDns) {
    const auto servers = [](const config::Config& config) {
        std::string out;
        for (const SocketAddress& server : push_policy(config).servers) out += server.to_string() + ' ';
        return out;
    };
    config::Config config;
    for (const char* upstream : {"tls://192.0.2.1#names.example", "192.0.2.2", "192.0.2.3:5353"})
        config.dns.upstream.push_back({config::parse_dns_upstream(upstream).value(), {}});
    EXPECT_EQ(servers(config), "192.0.2.2:53 192.0.2.3:5353 ");
    config.push.resolver.push_back({*IpAddress::parse("192.0.2.9"), {}});
    EXPECT_EQ(servers(config), "192.0.2.9:53 ");
}

}  // namespace
}  // namespace sallyport::cli
