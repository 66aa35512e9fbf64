#include "firewall/derive_media.hpp"

#include "firewall/evaluate.hpp"
#include "firewall/testing.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

using namespace sallyport;
using namespace sallyport::firewall;
using namespace sallyport::firewall::testing;

namespace {

// "input udp 3478 from any to any" of the rule with that id.
std::string told(const Policy& policy, std::string_view id) {
    const auto at = std::ranges::find(policy.rules, id, &Rule::id);
    if (at == policy.rules.end()) return "none";
    std::string out = to_text(at->transports) + ' ' + to_text(at->ports);
    for (const Network& one : at->from) out += " from " + one.to_string();
    for (const Network& one : at->to) out += " to " + one.to_string();
    return out + at->to_name;
}

} // namespace

TEST(Media, StunAndTurnAreOpenWithTheRangeOfTheRelays) {
    config::Config config = one_interface();
    config.stun.listen = {at(only("192.0.2.1:3478"))};
    config.turn.udp = {at(anywhere(3478))};
    config.turn.tls = {at(anywhere(5349))};
    config.turn.relay_ports = at(PortRange{50000, 50100});
    const Policy policy = firewall::derive(config);
    EXPECT_EQ(told(policy, "stun.listen"), "udp 3478 to 192.0.2.1/32");
    EXPECT_EQ(told(policy, "turn.udp"), "udp 3478");
    EXPECT_EQ(told(policy, "turn.tls"), "tcp 5349");
    EXPECT_EQ(told(policy, "turn.relay_ports"), "udp 50000-50100");
    EXPECT_EQ(told(policy, "turn.peers"), "udp anyanywhere");
    EXPECT_EQ(policy.rules.back().hook, Hook::output) << "other firewalls are told, this one filters nothing of it";
    EXPECT_TRUE(std::ranges::any_of(policy.mappings, [](const auto& one) { return one.ports.first == 50000; }));
    EXPECT_EQ(told(firewall::derive(one_interface()), "turn.relay_ports"), "none");
}

TEST(Media, WhatTurnAndStunMayHaveBesideIsOpenWithThem) {
    config::Config config = one_interface();
    config.stun.listen = {at(only("192.0.2.1:3478")), at(only("192.0.2.2:3478"))};
    config.stun.alternate_port = 3479;
    config.turn.dtls = {at(anywhere(5349))};
    config.turn.tcp_relays.value = true;
    config.turn.relay_ports = at(PortRange{50000, 50100});
    const Policy policy = firewall::derive(config);
    EXPECT_EQ(told(policy, "stun.alternate_port"), "udp 3479 to 192.0.2.1/32");
    EXPECT_EQ(told(policy, "turn.dtls"), "udp 5349");
    EXPECT_EQ(told(policy, "turn.relay_ports"), "udp, tcp 50000-50100");
    config::Config on_mux = one_interface();
    on_mux.listen.mux = {at(anywhere(443))};
    on_mux.turn.realm.value = "example.com";
    EXPECT_EQ(told(firewall::derive(on_mux), "turn.relay_ports"), "udp 49152-65535");
}

TEST(Media, RelaysAndForwardedConnectionsGetPortsOfTheirOwn) {
    config::Config config = router();
    config.turn.udp = {at(anywhere(3478))};
    config.turn.relay_ports = at(PortRange{49000, 49300});
    config.turn_users.resize(40);
    std::string all;
    for (const auto& one : concerns(config, firewall::derive(config))) all += one.message + '\n';
    EXPECT_NE(all.find("nat_ports 32768-49151 and relay_ports 49000-49300 overlap"), std::string::npos) << all;
    EXPECT_NE(all.find("301 ports are fewer than 400"), std::string::npos) << all;
}

TEST(Media, NamesAreForClientsOfOurOwn) {
    config::Config config = one_interface();
    config.dns.listen = {at(anywhere(53))};
    config.dns.clients = {at(network("10.0.0.0/8"))};
    config.dns.upstream = {at(*config::parse_dns_upstream("tls://1.1.1.1#one.one.one.one"))};
    const Policy policy = firewall::derive(config);
    EXPECT_EQ(told(policy, "dns.listen"), "tcp, udp 53 from 10.0.0.0/8");
    EXPECT_EQ(told(policy, "dns.upstream"), "tcp 853 to 1.1.1.1/32");
    config.dns.clients = {};  // whom the name server then answers
    EXPECT_TRUE(
        told(firewall::derive(config), "dns.listen").starts_with("tcp, udp 53 from 10.0.0.0/8 from 127.0.0.0/8"));
    EXPECT_FALSE(std::ranges::any_of(policy.mappings, [](const auto& one) { return one.ports.first == 53; }));
}

TEST(Media, PushOpensItsAddressesAndDialsApple) {
    config::Config config = one_interface();
    config.push.vip = {at(network("10.100.100.0/24"))};
    Policy policy = firewall::derive(config);
    EXPECT_EQ(told(policy, "push.vip"), "tcp 443, 2197, 5223 to 10.100.100.0/24");
    EXPECT_TRUE(told(policy, "push.allow_to").starts_with("tcp 443, 2197, 5223 to 17.0.0.0/8"));
    config.push.via = {at(config::ProxyUrl{.host = "proxy.dmz", .port = 3128})};
    policy = firewall::derive(config);
    EXPECT_EQ(told(policy, "push.allow_to"), "none");
    EXPECT_EQ(told(policy, "push.via"), "tcp 3128proxy.dmz");
    EXPECT_EQ(told(policy, "push.resolver"), "none");
    config.push.resolver = {at(*IpAddress::parse("9.9.9.9"))};
    EXPECT_EQ(told(firewall::derive(config), "push.resolver"), "tcp, udp 53 to 9.9.9.9/32");
}

TEST(Media, PinsAndThePoolKeepClientsTheirAddress) {
    config::Config config = router();
    config.egress.pool = {at(network("192.0.2.16/28")), at(network("198.51.100.0/24")), at(network("2001:db8::/120"))};
    config.egress.seed = at(std::string("site-1"));
    config::EgressPin pin;
    pin.network = at(network("10.1.0.0/16"));
    pin.source = at(*IpAddress::parse("192.0.2.17"));
    config.egress_pins = {pin};
    const Policy policy = firewall::derive(config);
    ASSERT_EQ(policy.nat.pins.size(), 1U);
    EXPECT_EQ(policy.nat.pins[0].client.to_string(), "10.1.0.0/16");
    ASSERT_EQ(policy.nat.pool.size(), 3U);
    EXPECT_EQ(policy.nat.pool[0].last.to_string(), "192.0.2.31");
    EXPECT_EQ(policy.nat.pool[1].size(), 256U);
    EXPECT_EQ(policy.nat.pool[2].last.to_string(), "2001:db8::ff");
    config.egress.seed = at(std::string("site-2"));
    EXPECT_NE(firewall::derive(config).nat.seed, policy.nat.seed);
    EXPECT_TRUE(firewall::derive(one_interface()).nat.empty());
}

TEST(Media, APinOfWhomNothingCanPlaceIsAConcern) {
    config::Config config = router();
    config::EgressPin user;
    user.user = at(std::string("alice"));
    user.source = at(*IpAddress::parse("192.0.2.17"));
    config::EgressPin device;
    device.mac = at(std::string("02:00:00:00:00:01"));
    device.source = user.source;
    config.egress_pins = {user, device};
    EXPECT_EQ(concerns(config, firewall::derive(config)).size(), 2U);
    config.egress.leases = {at(std::filesystem::path("leases"))};
    EXPECT_EQ(concerns(config, firewall::derive(config)).size(), 1U);
    config.egress.radius = at(only("192.0.2.1:1813"));
    EXPECT_TRUE(concerns(config, firewall::derive(config)).empty());
}

TEST(Media, PushForAppleIsTakenOnTheWayWhereItIsToBe) {
    config::Config config = router();
    config.push.intercept = true;
    const auto asked = [](const Policy& policy, const char* to, std::uint16_t port) {
        const Verdict verdict = evaluate(policy, {.hook = Hook::forward,
                                                  .zone = Zone::inside,
                                                  .to_zone = Zone::outside,
                                                  .from = *IpAddress::parse("10.1.1.1"),
                                                  .to = *IpAddress::parse(to),
                                                  .port = port});
        return verdict.rule == nullptr ? "" : verdict.rule->id;
    };
    // 443 is [listen] https on all addresses here.
    Policy policy = firewall::derive(config);
    EXPECT_EQ(asked(policy, "17.1.2.3", 5223), "push.intercept");
    EXPECT_EQ(asked(policy, "17.1.2.3", 443), "firewall.presets.apns");
    ASSERT_EQ(concerns(config, policy).size(), 1U);
    EXPECT_NE(concerns(config, policy).front().message.find("443"), std::string::npos);
    config.listen.https = {};
    policy = firewall::derive(config);
    EXPECT_EQ(asked(policy, "2620:149:a44::1", 443), "push.intercept");
    EXPECT_EQ(asked(policy, "198.51.100.1", 5223), "through.closed-inside");
    EXPECT_TRUE(concerns(config, policy).empty());
    const Verdict unasked = evaluate(policy, {.zone = Zone::inside, .from = {}, .to = {}, .port = 5223});
    EXPECT_EQ(unasked.rule->id, "closed-inside");  // what nobody has redirected
    config.push.intercept = false;
    EXPECT_FALSE(firewall::derive(config).interception.has_value());
}
