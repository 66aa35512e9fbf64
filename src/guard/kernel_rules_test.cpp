#include "guard/kernel_rules.hpp"

#include "guard/entry.hpp"

#include <gmock/gmock.h>

#include <chrono>

using namespace sallyport;
using namespace sallyport::guard;
using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

namespace {

constexpr SteadyTime now{1h};

Network net(const char* text) { return *Network::parse(text); }
ClientKey client(const char* text) { return ClientKey(*IpAddress::parse(text)); }
std::vector<Network> nets(std::initializer_list<const char*> texts) {
    std::vector<Network> out;
    for (const char* text : texts) out.push_back(net(text));
    return out;
}

}  // namespace

TEST(KernelRules, TheTableTakesThePlaceOfTheOneBefore) {
    const std::string text = kernel_rules::create({});
    EXPECT_TRUE(
        text.starts_with("add table inet sallyport_bans\ndelete table inet sallyport_bans\n"
                         "table inet sallyport_bans {\n"))
        << text;
}

TEST(KernelRules, WhatIsEstablishedGoesOnAndWhoIsAllowedIsNotRefused) {
    const std::string text = kernel_rules::create({});
    const auto at = [&text](const char* rule) { return text.find(rule); };
    ASSERT_NE(at("ct state != new accept"), std::string::npos);
    EXPECT_LT(at("ct state != new accept"), at("@allowed4 accept"));
    for (const char* refusing : {"@clients4 goto", "@clients6 goto", "@banned4 goto", "@banned6 goto"}) {
        ASSERT_NE(at(refusing), std::string::npos);
        EXPECT_LT(at("ip saddr @allowed4 accept"), at(refusing));
        EXPECT_LT(at("ip6 saddr @allowed6 accept"), at(refusing));
    }
}

TEST(KernelRules, OnlyOurPortsAreClosed) {
    struct Case {
        kernel_rules::Port port;
        const char* rule;
    };
    const auto ip = [](const char* text) { return *IpAddress::parse(text); };
    const Case cases[] = {
        {{.address = ip("192.0.2.1"), .port = 443}, "ip daddr 192.0.2.1 tcp dport 443 reject with tcp reset"},
        {{.address = ip("2001:db8::1"), .port = 443}, "ip6 daddr 2001:db8::1 tcp dport 443 reject with tcp reset"},
        {{.address = ip("0.0.0.0"), .port = 80}, "meta nfproto ipv4 tcp dport 80 reject with tcp reset"},
        {{.address = ip("::"), .port = 80}, "meta nfproto ipv6 tcp dport 80 reject with tcp reset"},
        {{.address = ip("::"), .both_families = true, .port = 80}, "refuse tcp dport 80 reject with tcp reset"},
        {{.address = ip("192.0.2.1"), .port = 3478, .udp = true}, "ip daddr 192.0.2.1 udp dport 3478 drop"},
    };
    for (const Case& one : cases)
        EXPECT_THAT(kernel_rules::create({.ports = {one.port}}), HasSubstr(std::string(one.rule) + "\n"));
    EXPECT_THAT(kernel_rules::create({.ports = {{.port = 0}}}), Not(HasSubstr("dport")));
}

TEST(KernelRules, NetworksOfASetDoNotOverlap) {
    const kernel_rules::Frame frame{
        .banned = nets({"10.1.2.3/32", "10.0.0.0/8", "10.0.0.0/8", "11.0.0.0/8", "2001:db8:1::/48", "2001:db8::/32"}),
        .allowed = nets({"192.0.2.7/32", "::1", "0.0.0.0/0"})};
    const std::string text = kernel_rules::create(frame);
    EXPECT_THAT(text, HasSubstr("add element inet sallyport_bans banned4 { 10.0.0.0/8, 11.0.0.0/8 }\n"));
    EXPECT_THAT(text, HasSubstr("add element inet sallyport_bans banned6 { 2001:db8::/32 }\n"));
    EXPECT_THAT(text, HasSubstr("add element inet sallyport_bans allowed4 { 0.0.0.0/0 }\n"));
    EXPECT_THAT(text, HasSubstr("add element inet sallyport_bans allowed6 { ::1 }\n"));
}

TEST(KernelRules, EverythingOfTheOldFrameGoesBeforeTheNewOne) {
    const std::string text = kernel_rules::replace({.banned = nets({"10.0.0.0/8"})});
    for (const char* part :
         {"chain inet sallyport_bans refuse", "set inet sallyport_bans banned4", "set inet sallyport_bans banned6",
          "set inet sallyport_bans allowed4", "set inet sallyport_bans allowed6"}) {
        EXPECT_LT(text.find("flush " + std::string(part)), text.find("add element"));
    }
    EXPECT_THAT(text, Not(HasSubstr("clients")));
}

TEST(KernelRules, AClientEndsByATimeoutOfTheKernels) {
    const std::vector<BannedClient> clients{{client("192.0.2.7"), now + 1500ms},
                                            {client("2001:db8:0:1::99"), now + 900s},
                                            {client("192.0.2.8"), Entry::never}};
    EXPECT_EQ(kernel_rules::add(clients, now),
              "add element inet sallyport_bans clients4 { 192.0.2.7, 192.0.2.8 }\n"
              "add element inet sallyport_bans clients6 { 2001:db8:0:1:: }\n"
              "delete element inet sallyport_bans clients4 { 192.0.2.7, 192.0.2.8 }\n"
              "delete element inet sallyport_bans clients6 { 2001:db8:0:1:: }\n"
              "add element inet sallyport_bans clients4 { 192.0.2.7 timeout 1500ms, 192.0.2.8 }\n"
              "add element inet sallyport_bans clients6 { 2001:db8:0:1:: timeout 900000ms }\n");
}

TEST(KernelRules, ABanThatHasEndedIsNotForEver) {
    for (const SteadyTime ended : {now, now - 1s, now + 999us}) {
        const std::vector<BannedClient> clients{{client("192.0.2.7"), ended}};
        EXPECT_EQ(kernel_rules::add(clients, now), kernel_rules::remove(std::vector{client("192.0.2.7")}));
    }
}

TEST(KernelRules, NobodyIsNoText) {
    EXPECT_EQ(kernel_rules::add({}, now), "");
    EXPECT_EQ(kernel_rules::remove({}), "");
}
