#include "config/load.hpp"

#include <gtest/gtest.h>

#include <string>

using namespace sallyport;
using namespace sallyport::config;

namespace {

Loaded read(const std::string& text) { return load_text("s.toml", text, {}); }

std::string first_error(const std::string& text) {
    const auto loaded = read(text);
    return loaded.errors.empty() ? ""
                                 : std::to_string(loaded.errors.front().line) + ": " + loaded.errors.front().message;
}

std::string first_warning(const std::string& text) {
    const auto loaded = read(text);
    return loaded.warnings.empty() ? "" : loaded.warnings.front().message;
}

}  // namespace

TEST(Firewall, IsReadWithItsInnerTables) {
    const auto loaded = read(
        "[firewall]\ninside = 'eth1'\noutside = ['eth0', 'ppp0']\ndeny = 'drop'\nfast_fail = 113\npresets = ['apns', "
        "'dns']\n"
        "nat_ports = '40000-50000'\nrestore = true\n"
        "[[firewall.forward]]\nprotocol = ['tcp', 'udp']\nport = 88\nto = '172.16.0.40:88'\n"
        "[[firewall.open]]\nname = 'metrics'\nport = [9100, 9101]\nfrom = '10.0.0.0/8'\n"
        "[[firewall.open]]\nname = 'snmp'\nport = 161\nprotocol = 'udp'\n");
    ASSERT_TRUE(loaded.config) << loaded.errors.front().message;
    const Firewall& firewall = loaded.config->firewall;
    EXPECT_EQ(firewall.place.line, 1U);
    EXPECT_EQ(firewall.outside[1].value.name, "ppp0");
    EXPECT_EQ(firewall.deny, Deny::drop);
    EXPECT_EQ(firewall.deny_inside, Deny::reset);
    EXPECT_EQ(firewall.fast_fail.size(), 1U);
    EXPECT_TRUE(firewall.restore);
    EXPECT_FALSE(Firewall{}.restore);
    EXPECT_EQ(firewall.presets[1].value, Passage::dns);
    EXPECT_EQ(firewall.nat_ports.value, (PortRange{40000, 50000}));
    ASSERT_EQ(loaded.config->firewall_forwards.size(), 1U);
    EXPECT_EQ(loaded.config->firewall_forwards[0].to.value.to_string(), "172.16.0.40:88");
    ASSERT_EQ(loaded.config->firewall_opens.size(), 2U);
    EXPECT_EQ(loaded.config->firewall_opens[1].protocols[0].value, Transport::udp);
}

TEST(Firewall, IsAbsentWhereNothingNamesIt) { EXPECT_EQ(read("").config->firewall.place.line, 0U); }

TEST(Firewall, WhatDoesNotFitTogetherIsAnError) {
    const std::pair<const char*, const char*> cases[] = {
        {"[firewall]\ninside = 'eth0'\noutside = ['eth0']\n", "3: outside: \"eth0\" is inside as well"},
        {"[firewall]\ninside = 'eth1'\n", "2: there is inside but no outside"},
        {"[firewall]\noutside = 'eth1'\n", "2: there is outside but no inside"},
        {"[firewall]\npresets = 'apns'\n", "2: presets: nobody is inside who could reach anything"},
        {"[listen]\nhttp = ':80'\n[firewall]\n[[firewall.forward]]\nport = 80\nto = '172.16.0.1:80'\n",
         "4: port: 80 is served by http"},
        {"[firewall]\n[[firewall.forward]]\nport = 88\nto = '172.16.0.1:88'\n[[firewall.forward]]\nport = 88\nto = "
         "'172.16.0.2:88'\n",
         "5: port: tcp 88 is forwarded twice"},
        {"[firewall]\ninside = 'eth0\" drop'\noutside = 'a'\n",
         "2: inside: \"eth0\" drop\" is not the name of a network interface"},
        {"[firewall]\nnat_ports = '5-4'\n", "2: nat_ports: \"5-4\" is not a range of ports"},
        {"[[firewall.forward]]\nport = 88\nto = 'kdc:88'\n", "3: to: \"kdc:88\" is not an address with a port"},
        {"[[firewall.open]]\nport = 88\n", "1: [[firewall.open]] has no \"name\""},
        {"[[firewall.open]]\nname = 'a'\nport = []\n", "3: port: an empty list"},  // not every port there is
        {"[[firewall.open]]\nname = 'a'\nport = 88\nprotocol = []\n", "4: protocol: an empty list"},
        {"[[firewall.forward]]\nprotocol = []\nport = 88\nto = '172.16.0.1:88'\n", "2: protocol: an empty list"},
        {"[firewall]\nfast_fail = [113, 70000]\n", "2: fast_fail: 70000 is out of range"},
        {"[firewall.forward]\nport = 88\n", "1: \"forward\" must be a list of tables, not a table"},
        {"[firewall.froward]\nport = 88\n", "1: unknown key \"froward\" in [firewall]"},
    };
    for (const auto& [text, error] : cases) EXPECT_EQ(first_error(text), error) << text;
}

TEST(Firewall, WhatHasNoEffectIsWarnedOf) {
    EXPECT_EQ(first_warning("[listen]\nhttp = ':1935'\n[firewall]\n"), "fast_fail: port 1935 is served by http");
    EXPECT_EQ(first_warning("[listen]\nhttp = '127.0.0.1:1935'\n[firewall]\n"), "");
}

TEST(Firewall, ItsStateIsFoundWhereTheRestHasErrors) {
    const std::pair<const char*, const char*> cases[] = {
        {"[firewall]\nstate_dir = '/var/lib/fw'\n", "/var/lib/fw"},
        {"[firewall]\nstate_dir = '/var/lib/fw'\ndenny = 'drop'\n[listen]\nhttp = ':x'\n", "/var/lib/fw"},
        {"[firewall\nstate_dir = '/var/lib/fw'\n", "/var/lib/sallyport-firewall"},  // nothing of it can be read
        {"", "/var/lib/sallyport-firewall"},
    };
    for (const auto& [text, state] : cases) EXPECT_EQ(read(text).firewall_state, state) << text;
}

TEST(Firewall, AForwardAloneIsAFirewallToo) {
    const auto loaded = read("[[firewall.forward]]\nport = 88\nto = '172.16.0.1:88'\n");
    ASSERT_TRUE(loaded.config);
    EXPECT_NE(loaded.config->firewall.place.line, 0U);
}
