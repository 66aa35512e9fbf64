#include "turn/peer_policy.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace sallyport::turn {
namespace {

using Verdict = PeerPolicy::Verdict;

TEST(Canonical, UnpacksEveryFormThatHidesIpv4) {
    struct Case {
        const char* address;
        const char* means;
    };
    const Case cases[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"::ffff:10.0.0.1", "10.0.0.1"},
        {"::10.0.0.1", "10.0.0.1"},
        {"::ffff:0:10.0.0.1", "10.0.0.1"},
        {"64:ff9b::10.0.0.1", "10.0.0.1"},
        {"64:ff9b:1::10.0.0.1", "10.0.0.1"},
        {"2002:a00:1::", "10.0.0.1"},
        {"2002:7f00:1::1", "127.0.0.1"},
        {"2001:0:c000:201:0:0:f5ff:fffe", "10.0.0.1"},
        {"::", "::"},
        {"::1", "::1"},
        {"2606:4700::1111", "2606:4700::1111"},
    };
    for (const Case& c : cases)
        EXPECT_EQ(canonical(*IpAddress::parse(c.address)), *IpAddress::parse(c.means)) << c.address;
}

PeerPolicy policy(const std::vector<const char*>& deny, const std::vector<const char*>& allow,
                  const std::vector<const char*>& own = {}) {
    std::vector<Network> denied, allowed;
    std::vector<IpAddress> mine;
    for (const char* text : deny) denied.push_back(*Network::parse(text));
    for (const char* text : allow) allowed.push_back(*Network::parse(text));
    for (const char* text : own) mine.push_back(*IpAddress::parse(text));
    return {denied, allowed, mine};
}

std::string rule(const PeerPolicy& policy, const char* peer) {
    const auto ruling = policy.rule_on(*IpAddress::parse(peer));
    if (ruling.verdict == Verdict::allowed) return "allowed";
    return (ruling.verdict == Verdict::relays_only ? "relays only: " : "") + *ruling.rule;
}

TEST(PeerPolicy, DeniesWhatIsNotThePublicInternetAndNamesTheRule) {
    const PeerPolicy built_in = policy({}, {});
    struct Case {
        const char* peer;
        const char* rule;
    };
    const Case cases[] = {
        {"8.8.8.8", "allowed"},
        {"2606:4700::1111", "allowed"},
        {"64:ff9b::8.8.8.8", "allowed"},
        {"0.0.0.0", "built-in 0.0.0.0/8 (this host)"},
        {"0.1.2.3", "built-in 0.0.0.0/8 (this host)"},
        {"::", "built-in ::/128 (unspecified)"},
        {"::1", "built-in ::1/128 (loopback)"},
        {"127.0.0.1", "built-in 127.0.0.0/8 (loopback)"},
        {"127.255.255.254", "built-in 127.0.0.0/8 (loopback)"},
        {"::ffff:127.0.0.1", "built-in 127.0.0.0/8 (loopback)"},
        {"::ffff:0.0.0.0", "built-in 0.0.0.0/8 (this host)"},
        {"::127.0.0.1", "built-in ::/96 (IPv4-compatible)"},
        {"64:ff9b::127.0.0.1", "built-in 127.0.0.0/8 (loopback)"},
        {"64:ff9b::169.254.169.254", "built-in 169.254.0.0/16 (link-local, and the metadata of clouds)"},
        {"2002:7f00:1::", "built-in 2002::/16 (6to4)"},
        {"2001:0:1::1", "built-in 2001::/32 (Teredo)"},
        {"10.1.2.3", "built-in 10.0.0.0/8 (private)"},
        {"100.100.100.200", "built-in 100.64.0.0/10 (carrier-grade NAT)"},
        {"169.254.169.254", "built-in 169.254.0.0/16 (link-local, and the metadata of clouds)"},
        {"172.31.255.255", "built-in 172.16.0.0/12 (private)"},
        {"172.32.0.1", "allowed"},
        {"192.168.1.1", "built-in 192.168.0.0/16 (private)"},
        {"224.0.0.1", "built-in 224.0.0.0/4 (multicast)"},
        {"255.255.255.255", "built-in 240.0.0.0/4 (reserved)"},
        {"fd00:ec2::254", "built-in fc00::/7 (unique local)"},
        {"fe80::1", "built-in fe80::/10 (link-local)"},
        {"ff02::1", "built-in ff00::/8 (multicast)"},
    };
    for (const Case& c : cases) EXPECT_EQ(rule(built_in, c.peer), c.rule) << c.peer;
}

TEST(PeerPolicy, GoesByTheMostSpecificNetwork) {
    const PeerPolicy all = policy({}, {"0.0.0.0/0", "::/0"});
    EXPECT_EQ(rule(all, "10.0.0.1"), "built-in 10.0.0.0/8 (private)");
    const PeerPolicy some = policy({"172.16.5.0/24", "8.8.8.0/24"}, {"172.16.0.0/12", "8.8.8.0/24", "224.0.0.1/32"});
    EXPECT_EQ(rule(some, "172.16.4.1"), "allowed");
    EXPECT_EQ(rule(some, "172.16.5.1"), "peer_deny 172.16.5.0/24");
    EXPECT_EQ(rule(some, "8.8.8.8"), "peer_deny 8.8.8.0/24");
    EXPECT_EQ(rule(some, "224.0.0.1"), "built-in 224.0.0.0/4 (multicast)");
    EXPECT_EQ(rule(some, "::172.16.4.1"), "built-in ::/96 (IPv4-compatible)");
    // A form of IPv6 opens nothing that its IPv4 does not.
    EXPECT_EQ(rule(policy({}, {"64:ff9b::/96"}), "64:ff9b::10.0.0.1"), "built-in 10.0.0.0/8 (private)");
}

// By DHCP, by a dial-up line, by a standby that takes over.
TEST(PeerPolicy, OpensNoMoreOfAnAddressThatBecameOwnLater) {
    const auto by_now = [](const PeerPolicy& policy, const char* peer) {
        const auto ruling = policy.rule_on(*IpAddress::parse(peer), true);
        return std::pair{ruling.verdict, ruling.rule == nullptr ? "" : *ruling.rule};
    };
    const std::pair own{Verdict::relays_only, std::string("an address of this node")};
    const std::pair allowed{Verdict::allowed, std::string()};
    EXPECT_EQ(by_now(policy({}, {}), "52.1.2.3"), own);
    EXPECT_EQ(by_now(policy({}, {"0.0.0.0/0"}), "52.1.2.3"), own);
    EXPECT_EQ(by_now(policy({}, {"52.1.2.3/32"}), "52.1.2.3"), allowed);
    EXPECT_EQ(by_now(policy({}, {"127.0.0.0/8"}), "127.0.0.1"), allowed);
    EXPECT_EQ(by_now(policy({}, {}), "10.0.0.5").first, Verdict::relays_only);
    EXPECT_EQ(by_now(policy({}, {}), "224.0.0.1").first, Verdict::denied);
}

TEST(PeerPolicy, OfOwnAddressesOpensTheRelaysAlone) {
    const PeerPolicy node = policy({}, {"127.0.0.0/8"}, {"198.18.0.5", "52.1.2.3", "127.0.0.1"});
    EXPECT_EQ(rule(node, "52.1.2.3"), "relays only: an address of this node");
    EXPECT_EQ(rule(node, "198.18.0.5"), "relays only: an address of this node");
    EXPECT_EQ(rule(node, "127.0.0.1"), "allowed");
    EXPECT_EQ(rule(policy({}, {"52.1.2.3/32"}, {"52.1.2.3"}), "52.1.2.3"), "allowed");
    EXPECT_EQ(rule(policy({}, {}, {"127.0.0.1"}), "127.0.0.1"), "relays only: built-in 127.0.0.0/8 (loopback)");
}

}  // namespace
}  // namespace sallyport::turn
