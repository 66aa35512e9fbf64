#include "push/decide.hpp"

#include <gtest/gtest.h>

#include <string>

using namespace sallyport;
using namespace sallyport::push;

namespace {

Vips vips(std::initializer_list<const char*> texts) {
    std::vector<Network> networks;
    for (const char* text : texts) networks.push_back(*Network::parse(text));
    return Vips(networks);
}

Policy policy(Vips at) {
    return {.vips = std::move(at),
            .ports = {5223, 443, 2197, 2195},
            .families = {PushFamily::courier, PushFamily::courier2, PushFamily::courier_sandbox},
            .providers = true,
            .allow_to = config::apple_networks()};
}

SocketAddress at(const char* text) { return *SocketAddress::parse(text); }

tls::ClientHello hello(std::string name, std::vector<std::string> protocols = {"apns-security-v3", "apns-pack-v1"}) {
    return {.server_name = std::move(name), .protocols = std::move(protocols), .highest_version = 0x0304};
}

std::string say(const Decision& decision) {
    if (!decision.admitted()) return "! " + std::string(code(decision.reason)) + ": " + decision.detail;
    return decision.host + ':' + std::to_string(decision.port) +
           (decision.address ? " at " + decision.address->to_string() : "");
}

const std::string courier = "courier.push.apple.com";

}  // namespace

TEST(Vips, AreTheBaseAndTheNumber) {
    const Vips prefix = vips({"10.100.100.0/24", "fd00:100::/64"});
    EXPECT_EQ(prefix.of(0).v4.to_string(), "10.100.100.0");
    EXPECT_EQ(prefix.of(7).v4.to_string(), "10.100.100.7");
    EXPECT_EQ(prefix.of(255).v4.to_string(), "10.100.100.255");
    EXPECT_EQ(prefix.of(256).v4, IpAddress{}) << "no room";
    EXPECT_EQ(prefix.of(256).v6.to_string(), "fd00:100::100");
    EXPECT_EQ(prefix.number_at(*IpAddress::parse("10.100.100.50")), 50);
    EXPECT_EQ(prefix.number_at(*IpAddress::parse("fd00:100::100")), 256);
    EXPECT_FALSE(prefix.number_at(*IpAddress::parse("fd00:100::1:0:0:7")));
    EXPECT_FALSE(prefix.number_at(*IpAddress::parse("10.100.101.1")));
    EXPECT_TRUE(prefix.contains(*IpAddress::parse("10.100.100.255")));
    EXPECT_EQ(prefix.provider_at(prefix.of(Provider::api_sandbox).v4), Provider::api_sandbox);
    EXPECT_EQ(vips({"10.0.0.128/25"}).of(7).v4.to_string(), "10.0.0.135");
}

TEST(Vips, MayBeOneAddressForAll) {
    const Vips one = vips({"10.100.100.1", "fd00::1"});
    EXPECT_EQ(one.of(50).v4.to_string(), "10.100.100.1");
    EXPECT_EQ(one.of(50).v6.to_string(), "fd00::1");
    EXPECT_FALSE(one.number_at(*IpAddress::parse("10.100.100.1")));
    EXPECT_TRUE(one.contains(*IpAddress::parse("10.100.100.1")));
}

TEST(Decide, TakesTheNumberFromTheAddressAndTheFamilyFromTheClientHello) {
    const Policy prefix = policy(vips({"10.100.100.0/24", "fd00:100::/64"}));
    struct Case {
        const char* to;
        std::string name;
        const char* answer;
    };
    const Case cases[] = {
        {"10.100.100.7:5223", courier, "7-courier.push.apple.com:5223"},
        {"10.100.100.0:5223", courier, "0-courier.push.apple.com:5223"},
        {"10.100.100.7:443", "courier2.push.apple.com", "7-courier2.push.apple.com:443"},
        {"10.100.100.7:5223", "courier.sandbox.push.apple.com", "7-courier.sandbox.push.apple.com:5223"},
        {"[fd00:100::32]:5223", courier, "50-courier.push.apple.com:5223"},
        {"10.100.100.9:5223", "7-courier.push.apple.com", "9-courier.push.apple.com:5223"},
        {"10.100.100.7:5223", "", "7-courier.push.apple.com:5223"},
        {"10.100.100.7:2197", "api.push.apple.com", "api.push.apple.com:2197"},
        {"10.100.100.7:8443", courier, "! push.not_apple: port 8443 is not in ports"},
        {"10.100.100.7:5223", "www.example.com",
         "! push.not_apple: \"www.example.com\" is no name of the push service"},
    };
    for (const Case& c : cases)
        EXPECT_EQ(say(decide(prefix, {.to = at(c.to), .hello = hello(c.name)})), c.answer) << c.to << ' ' << c.name;
}

TEST(Decide, WithOneAddressTakesTheNumberFromWhatWasAskedElseTheSameForAClient) {
    const Policy one = policy(vips({"10.100.100.1"}));
    Ask ask{.to = at("10.100.100.1:5223"), .hello = hello(courier), .client_hash = 123};
    const std::string made_up = say(decide(one, ask));
    EXPECT_EQ(made_up, "24-courier.push.apple.com:5223");
    ask.asked = Courier{PushFamily::courier, 33};
    EXPECT_EQ(say(decide(one, ask)), "33-courier.push.apple.com:5223");
    ask.asked = Courier{PushFamily::courier2, 33};
    EXPECT_EQ(say(decide(one, ask)), made_up) << "it asked for another family";
}

TEST(Decide, On443WantsTheProtocolToo) {
    const Policy prefix = policy(vips({"10.100.100.0/24"}));
    const auto said = [&](std::vector<std::string> protocols) {
        return say(decide(prefix, {.to = at("10.100.100.7:443"), .hello = hello(courier, std::move(protocols))}));
    };
    EXPECT_EQ(said({"apns-security-v3"}), "7-courier.push.apple.com:443");
    EXPECT_EQ(said({"h2", "http/1.1"}), "! push.not_apple: the ClientHello offers no protocol of the push service");
    EXPECT_EQ(said({}), "! push.not_apple: the ClientHello offers no protocol of the push service");
}

TEST(Decide, RefusesWhatIsNotServed) {
    Policy few = policy(vips({"10.100.100.0/24"}));
    few.families = {PushFamily::courier};
    few.providers = false;
    const auto said = [&](const char* to, std::string name) {
        return say(decide(few, {.to = at(to), .hello = hello(std::move(name))}));
    };
    EXPECT_EQ(said("10.100.100.7:5223", "courier2.push.apple.com"),
              "! push.not_apple: the family courier2 is not in families");
    EXPECT_EQ(said("10.100.100.7:443", "api.push.apple.com"),
              "! push.not_apple: senders are not served: providers is false");
    EXPECT_EQ(say(decide(few, {.to = at("10.100.100.7:5223")})),
              "! peek.malformed: the first bytes are no ClientHello");
}

TEST(Decide, TellsOldSendersByTheAddressThatTheyAskedFor) {
    const Policy prefix = policy(vips({"10.100.100.0/24"}));
    const SocketAddress gateway{prefix.vips.of(Provider::gateway).v4, 2195};
    EXPECT_EQ(say(decide(prefix, {.to = gateway, .hello = hello("", {})})), "gateway.push.apple.com:2195");
    EXPECT_EQ(say(decide(prefix, {.to = at("10.100.100.7:2195"), .hello = hello("", {})})),
              "! push.not_apple: the ClientHello names nobody, nor does the address");
    EXPECT_EQ(say(decide(prefix, {.to = at("10.100.100.7:5223"), .hello = hello("", {})})),
              "! push.not_apple: the ClientHello names nobody");
}

TEST(Decide, SendsARedirectedConnectionWhereItWasGoing) {
    const Policy any = policy({});
    EXPECT_EQ(
        say(decide(any, {.to = at("10.1.0.1:5223"), .original = at("17.57.145.37:5223"), .hello = hello(courier)})),
        "1-courier.push.apple.com:5223 at 17.57.145.37");
    EXPECT_EQ(say(decide(any, {.to = at("10.1.0.1:5223"), .original = at("18.1.2.3:5223"), .hello = hello(courier)})),
              "! push.not_apple: 18.1.2.3 is not in allow_to");
    EXPECT_EQ(say(decide(any, {.to = at("10.1.0.1:5223"), .original = at("17.57.145.37:80"), .hello = hello(courier)})),
              "! push.not_apple: port 80 is not in ports");
}

TEST(Policy, LetsNothingComeBackHere) {
    Policy wide = policy(vips({"10.100.100.0/24"}));
    wide.allow_to = {*Network::parse("10.0.0.0/8")};
    EXPECT_TRUE(wide.allows(*IpAddress::parse("10.1.2.3")));
    EXPECT_FALSE(wide.allows(*IpAddress::parse("10.100.100.7")));
    EXPECT_FALSE(wide.allows(*IpAddress::parse("192.0.2.1")));
}
