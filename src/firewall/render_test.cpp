// The rules as text, held against the golden files and against the programs that read them. To write the golden files
// anew: SALLYPORT_WRITE_GOLDEN=1 build/asan/bin/firewall_test.
#include "firewall/render.hpp"

#include "firewall/testing.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

using namespace sallyport;
using namespace sallyport::firewall;
using namespace sallyport::firewall::testing;

namespace {

std::string golden_file(const std::string& name) {
    return std::string(SALLYPORT_SOURCE_DIR) + "/src/firewall/golden/" + name;
}

void expect_golden(const std::string& name, const std::string& text) {
    if (std::getenv("SALLYPORT_WRITE_GOLDEN") != nullptr) std::ofstream(golden_file(name)) << text;
    std::ifstream in(golden_file(name));
    std::ostringstream golden;
    golden << in.rdbuf();
    EXPECT_EQ(text, golden.str()) << name;
}

Policy pooled() {
    Policy policy = derive(router());
    const auto ip = [](std::string_view text) { return *IpAddress::parse(text); };
    policy.nat.pins = {{network("10.1.0.0/16"), ip("192.0.2.17")},
                       {network("10.1.2.3"), ip("192.0.2.18")},
                       {network("fd00:1::/64"), ip("2001:db8::17")}};
    policy.nat.pool = {{ip("192.0.2.19"), ip("192.0.2.30")}, {ip("2001:db8::20"), ip("2001:db8::2f")}};
    return policy;
}

// Several networks in the pool, devices that leases place, and one that nobody knows the address of.
Policy placed() {
    Policy policy = pooled();
    const auto ip = [](std::string_view text) { return *IpAddress::parse(text); };
    policy.nat.pool.push_back({ip("198.51.100.64"), ip("198.51.100.64")});
    policy.nat.seed = 7;
    policy.nat.follows_people = true;
    policy.nat.clients = {{network("10.1.9.1"), ip("192.0.2.20")}, {network("10.1.9.2"), ip("198.51.100.64")}};
    policy.nat.unplaced = {"user \"alice\""};
    return policy;
}

Policy intercepting() {
    config::Config config = router();
    config.push.intercept = true;
    return derive(config);
}

struct Case {
    std::string name;
    Policy policy;
};

std::vector<Case> cases() {
    return {{"one_interface", derive(one_interface())},
            {"router", derive(router())},
            {"pooled", pooled()},
            {"placed", placed()},
            {"intercepting", intercepting()},
            {"empty", derive(config::Config{})}};
}

}  // namespace

TEST(Render, WritesWhatTheGoldenFilesHold) {
    for (const auto& [name, policy] : cases()) {
        expect_golden(name + ".nft", to_nft(policy));
        expect_golden(name + ".iptables", to_iptables(policy, false));
        expect_golden(name + ".ip6tables", to_iptables(policy, true));
        expect_golden(name + ".request", to_request(policy));
        expect_golden(name + ".portmap", to_portmap(policy));
    }
}

TEST(Render, TheKernelTakesWhatIsWrittenForNftAndGivesItBackUnchanged) {
    if (!has_namespaces()) GTEST_SKIP() << "no network namespaces here";
    for (const auto& [name, policy] : cases()) {
        const auto said = ask(
            "unshare --net sh -c 'cat > /dev/shm/$$.nft; nft -f /dev/shm/$$.nft && nft -f /dev/shm/$$.nft && "
            "nft list table inet sallyport > /dev/shm/$$.a && (echo table inet sallyport; echo delete table inet "
            "sallyport; cat /dev/shm/$$.a) | nft -f - && nft list table inet sallyport | diff /dev/shm/$$.a -; s=$?; "
            "rm -f /dev/shm/$$.*; exit $s'",
            to_nft(policy));
        EXPECT_EQ(said.status, 0) << name << ": " << said.text;
    }
}

TEST(Render, IptablesTakesWhatIsWrittenForIt) {
    if (!has_namespaces() || ask("iptables-restore --version", "").status != 0)
        GTEST_SKIP() << "no network namespaces or no iptables here";
    for (const auto& [name, policy] : cases()) {
        for (const bool v6 : {false, true}) {
            const std::string program = v6 ? "ip6tables-restore" : "iptables-restore";
            const auto said = ask("unshare --net " + program + " --noflush", to_iptables(policy, v6));
            EXPECT_EQ(said.status, 0) << program << ' ' << name << ": " << said.text;
        }
    }
}

TEST(Render, CountersGoOnWhereTheyWere) {
    const std::string text = to_nft(derive(one_interface()), {{"listen.https", {7, 420}}, {"gone", {1, 2}}});
    EXPECT_NE(text.find("counter listen.https {\n\t\tpackets 7 bytes 420\n"), std::string::npos) << text;
    EXPECT_EQ(text.find("gone"), std::string::npos);
}

TEST(Render, NothingEverFlushesWhatIsNotOurs) {
    for (const auto& [name, policy] : cases()) {
        EXPECT_EQ(to_nft(policy).find("flush"), std::string::npos);
        for (const bool v6 : {false, true}) {
            const std::string text = to_iptables(policy, v6);
            EXPECT_EQ(text.find("\n-F"), std::string::npos);
            EXPECT_EQ(text.find("\n:INPUT"), std::string::npos);
            EXPECT_EQ(text.find("\n-P"), std::string::npos);
        }
    }
}

TEST(Render, ACommentNeverEndsItsQuotes) {
    EXPECT_EQ(comment_of("a \"b\" \\ c\nd\xc3\xa9"), "a ?b? ? c?d??");
    EXPECT_EQ(comment_of(std::string(500, 'x')).size(), 120U);
}

TEST(Render, APoolIsNeverABareRange) {
    const std::string text = to_nft(pooled());
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.find("snat ") == std::string::npos || line.find(" map @") != std::string::npos) continue;
        EXPECT_NE(line.find("persistent"), std::string::npos) << line;
    }
}

TEST(Render, AMapOf65536PinsLoads) {
    if (!has_namespaces()) GTEST_SKIP() << "no network namespaces here";
    Policy policy = derive(router());
    for (std::uint32_t i = 0; i < 65'536; ++i)
        policy.nat.pins.push_back({Network(IpAddress::v4(0x0A000000 + i), 32), IpAddress::v4(0xC0000200 + i % 200)});
    const auto said = ask("unshare --net nft -f -", to_nft(policy));
    EXPECT_EQ(said.status, 0) << said.text.substr(0, 500);
}
