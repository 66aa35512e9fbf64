#include "firewall/policy.hpp"

#include "firewall/derive.hpp"
#include "firewall/evaluate.hpp"
#include "firewall/testing.hpp"

#include <gtest/gtest.h>

#include <set>

using namespace sallyport;
using namespace sallyport::firewall;
using namespace sallyport::firewall::testing;

namespace {

struct Asked {
    const char* what;
    Hook hook;
    Zone zone;
    Zone to_zone;
    Transport transport;
    const char* from;
    const char* to;
    std::uint16_t port;
    const char* rule;  // that decides
    bool admitted;
};

void expect(const Policy& policy, const Asked& asked) {
    SCOPED_TRACE(asked.what);
    const Verdict verdict = evaluate(policy, {.hook = asked.hook,
                                              .zone = asked.zone,
                                              .to_zone = asked.to_zone,
                                              .transport = asked.transport,
                                              .from = *IpAddress::parse(asked.from),
                                              .to = *IpAddress::parse(asked.to),
                                              .port = asked.port});
    EXPECT_EQ(verdict.rule == nullptr ? "" : verdict.rule->id, asked.rule);
    EXPECT_EQ(verdict.admitted, asked.admitted);
}

using enum Hook;
using enum Transport;
constexpr Zone in = Zone::inside;
constexpr Zone out = Zone::outside;
constexpr Zone none = Zone::any;

}  // namespace

TEST(Policy, OpensWhatTheConfigurationNeedsAndNothingElse) {
    const Policy policy = derive(one_interface());
    const Asked cases[] = {
        {"a service", input, out, none, tcp, "198.51.100.7", "192.0.2.1", 443, "listen.https", true},
        {"a service by IPv6", input, out, none, tcp, "2001:db8:9::1", "2001:db8::1", 80, "listen.http", true},
        {"not over UDP", input, out, none, udp, "198.51.100.7", "192.0.2.1", 443, "closed", false},
        {"on its own address", input, out, none, tcp, "198.51.100.7", "192.0.2.1", 389, "listen.ldap", true},
        {"its other one", input, out, none, tcp, "2001:db8:9::1", "2001:db8::1", 389, "listen.ldap.2", true},
        {"not on another address", input, out, none, tcp, "198.51.100.7", "192.0.2.2", 389, "closed", false},
        {"nothing for loopback", input, out, none, tcp, "198.51.100.7", "192.0.2.1", 5060, "closed", false},
        {"an admin", input, out, none, tcp, "198.51.100.7", "192.0.2.1", 22, "firewall.admin_ports", true},
        {"the admin page", input, out, none, tcp, "2001:db8:5::1", "2001:db8::1", 9443, "admin.listen", true},
        {"nobody else", input, out, none, tcp, "203.0.114.1", "192.0.2.1", 22, "closed", false},
        {"the machine itself", input, none, none, tcp, "127.0.0.1", "127.0.0.1", 22, "loopback", true},
        {"who is banned", input, out, none, tcp, "203.0.113.6", "192.0.2.1", 443, "guard.always_ban", false},
        {"who is exempt", input, out, none, tcp, "203.0.113.7", "192.0.2.1", 443, "listen.https", true},
        {"ident", input, out, none, tcp, "198.51.100.7", "192.0.2.1", 113, "firewall.fast_fail", false},
        {"no say in forwarding", forward, out, in, tcp, "198.51.100.7", "10.0.0.1", 80, "", true},
    };
    for (const Asked& asked : cases) expect(policy, asked);
}

TEST(Policy, ARouterLetsClientsReachWhatItsPresetsName) {
    const Policy policy = derive(router());
    const Asked cases[] = {
        {"Apple", forward, in, out, tcp, "10.1.1.1", "17.1.2.3", 5223, "firewall.presets.apns", true},
        {"Apple by IPv6", forward, in, out, tcp, "fd00::1", "2620:149:a44::1", 443, "firewall.presets.apns", true},
        {"others", forward, in, out, tcp, "10.1.1.1", "198.51.100.1", 443, "through.closed-inside", false},
        {"names", forward, in, out, udp, "10.1.1.1", "198.51.100.1", 53, "firewall.presets.dns", true},
        {"nobody back in", forward, out, in, tcp, "17.1.2.3", "10.1.1.1", 5223, "through.closed", false},
        {"rtmp on its way", forward, in, out, tcp, "10.1.1.1", "198.51.100.1", 1935, "through.firewall.fast_fail",
         false},
        {"a static forward", input, out, none, udp, "198.51.100.1", "192.0.2.1", 88, "firewall.forward.udp.88", true},
        {"not past its port", forward, out, in, tcp, "198.51.100.1", "172.16.0.40", 88, "through.closed", false},
        {"an admin inside", input, in, none, tcp, "10.1.1.1", "10.1.0.1", 22, "firewall.admin_ports", true},
        {"no admin outside", input, out, none, tcp, "198.51.100.7", "192.0.2.1", 22, "closed", false},
        {"what else it serves", input, out, none, udp, "10.9.8.7", "192.0.2.1", 161, "firewall.open", true},
    };
    for (const Asked& asked : cases) expect(policy, asked);
}

TEST(Policy, TellsWhatAClientNotices) {
    const Policy policy = derive(router());
    const auto answer = [&](Zone zone, Transport transport, std::uint16_t port) {
        return evaluate(policy, {.hook = input,
                                 .zone = zone,
                                 .transport = transport,
                                 .from = *IpAddress::parse("198.51.100.9"),
                                 .to = *IpAddress::parse("192.0.2.1"),
                                 .port = port})
            .answer;
    };
    EXPECT_EQ(answer(in, tcp, 25), "refused at once by TCP reset");
    EXPECT_EQ(answer(out, tcp, 25), "silence: the client waits until it gives up");
    EXPECT_EQ(answer(out, tcp, 1935), "refused at once by TCP reset");  // though outside is dropped
    EXPECT_EQ(answer(in, udp, 25), "refused by ICMP, as often as kernels send it");
}

TEST(Policy, EveryRuleHasAReasonAndANameOfItsOwn) {
    for (const auto& config : {one_interface(), router(), config::Config{}}) {
        std::set<std::string> ids;
        for (const Rule& rule : derive(config).rules) {
            EXPECT_FALSE(rule.reason.empty()) << rule.id;
            EXPECT_TRUE(ids.insert(rule.id).second) << rule.id;
        }
    }
}

TEST(Policy, StagesFollowOneAnother) {
    for (const auto& config : {one_interface(), router()}) {
        const Policy policy = derive(config);
        for (std::size_t i = 1; i < policy.rules.size(); ++i) {
            const Rule& before = policy.rules[i - 1];
            const Rule& rule = policy.rules[i];
            EXPECT_TRUE(before.hook < rule.hook || (before.hook == rule.hook && before.stage <= rule.stage)) << rule.id;
        }
        EXPECT_EQ(policy.rules.front().id, "established");
    }
}

TEST(Policy, PortsAndNetworksAreHeldOnce) {
    EXPECT_EQ(merged({{5, 9}, {80, 80}, {1, 4}, {7, 20}}), (std::vector<PortRange>{{1, 20}, {80, 80}}));
    EXPECT_EQ(merged({{65535, 65535}, {1, 65534}}), (std::vector<PortRange>{{1, 65535}}));
    const auto nets = outermost({network("::/0"), network("10.1.0.0/16"), network("2001:db8::/32"),
                                 network("10.0.0.0/8"), network("10.0.0.0/8")});
    EXPECT_EQ(nets, (std::vector<Network>{network("10.0.0.0/8"), network("::/0")}));
}

TEST(Policy, ConcernsAreSaid) {
    const auto says = [](const config::Config& config, const Policy& policy) {
        std::string all;
        for (const Concern& concern : concerns(config, policy)) all += concern.message + '\n';
        return all;
    };
    EXPECT_EQ(says(one_interface(), derive(one_interface())), "");
    EXPECT_EQ(says(router(), derive(router())), "");

    config::Config open = one_interface();
    open.firewall.admin_from = {at(network("::/0"))};
    EXPECT_NE(says(open, derive(open)).find("everybody"), std::string::npos);

    config::Config closed = one_interface();
    closed.firewall.admin_from = {};
    EXPECT_NE(says(closed, derive(closed)).find("nobody can look after"), std::string::npos);

    config::Config narrow = router();
    narrow.firewall.nat_ports.value = {40'000, 40'100};
    EXPECT_NE(says(narrow, derive(narrow)).find("101 ports"), std::string::npos);

    Policy pooled = derive(router());
    const auto ip = [](std::string_view text) { return *IpAddress::parse(text); };
    pooled.nat.pool = {{ip("192.0.2.1"), ip("192.0.2.9")}, {ip("192.0.2.9"), ip("192.0.2.12")}};
    pooled.nat.pins = {{network("192.0.2.8/29"), ip("192.0.2.1")}};
    EXPECT_NE(says(router(), pooled).find("overlap"), std::string::npos);
    EXPECT_NE(says(router(), pooled).find("lies within the clients' network"), std::string::npos);
}
