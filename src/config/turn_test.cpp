#include "config/test_support.hpp"

#include <gtest/gtest.h>

namespace sallyport::config {
namespace {

const std::string served = "[turn]\nudp = \":3478\"\nrealm = \"example.com\"\nshared_secret = \"s\"\n";

TEST(TurnConfig, HasTheDefaultsOfTheManual) {
    const auto loaded = load_here(served);
    ASSERT_EQ(listing(loaded.errors), "");
    const Turn& turn = loaded.config->turn;
    EXPECT_EQ(turn.relay_ports.value, (PortRange{49152, 65535}));
    EXPECT_EQ(turn.allocations_per_user, 10U);
    EXPECT_EQ(turn.bits_per_second_per_allocation.value, 0U);
    EXPECT_EQ(turn.shared_secret_hash, SecretHash::sha1);
}

TEST(TurnConfig, ReadsUsersBesideItsOwnKeys) {
    const auto loaded = load_here(served + "[[turn.user]]\nname = \"alice\"\npassword = \"secret\"\n");
    ASSERT_EQ(listing(loaded.errors), "");
    ASSERT_EQ(loaded.config->turn_users.size(), 1U);
    EXPECT_EQ(loaded.config->turn_users[0].name.value, "alice");
    EXPECT_EQ(loaded.config->turn_users[0].password.value, "secret");
}

TEST(TurnConfig, ReadsBitRates) {
    const auto rate = [](const std::string& text) -> std::int64_t {
        const auto loaded = load_here(served + "bits_per_second = \"" + text + "\"\n");
        return loaded.config ? static_cast<std::int64_t>(loaded.config->turn.bits_per_second.value) : -1;
    };
    EXPECT_EQ(rate("0"), 0);
    EXPECT_EQ(rate("1500"), 1500);
    EXPECT_EQ(rate("500k"), 500'000);
    EXPECT_EQ(rate("20M"), 20'000'000);
    EXPECT_EQ(rate("1G"), 1'000'000'000);
    for (const char* wrong : {"", "k", "20m", "20 M", "-1", "1.5M", "99999999999G", "20Mb"})
        EXPECT_EQ(rate(wrong), -1) << wrong;
}

TEST(TurnConfig, SaysWhatIsWrong) {
    struct Case {
        std::string text;
        std::string listing;
    };
    const Case cases[] = {
        {"[turn]\nudp = \":3478\"\nshared_secret = \"s\"\n",
         "2:7: [turn] has no \"realm\" (passwords hold for a realm: write your domain)\n"},
        {"[turn]\nudp = \":3478\"\nrealm = \"example.com\"\n",
         "2:7: nobody may relay: [turn] has no shared_secret, and there is no [[turn.user]] (a relay without "
         "credentials is everybody's; for STUN alone use [stun])\n"},
        {served + "relay_ports = \"65535-49152\"\n",
         "5:15: relay_ports: \"65535-49152\" is not a range of ports (such as \"49152-65535\")\n"},
        {served + "relay_ports = \"3000-4000\"\n",
         "2:7: udp: \":3478\" is a port of relay_ports (clients could reach it through a relay: take another port)\n"},
        {served + "tcp = \":50000\"\ntcp_relays = true\n[listen]\nhttps = \":50443\"\n",
         "5:7: [turn] tcp: \":50000\" is a port of relay_ports (with tcp_relays a client could get its connections: "
         "take "
         "another port)\n"
         "8:9: https: \":50443\" is a port of relay_ports (with tcp_relays a client could get its connections: take "
         "another "
         "port)\n"},
        {served + "tcp = \":50000\"\n", ""},
        {served + "relay_address = [\"192.0.2.1\", \"2001:db8::1\", \"192.0.2.2\"]\n",
         "5:46: relay_address: \"192.0.2.2\" is the second of its family; relays take one of each\n"},
        {"[turn]\nudp = [\":3478\", \":3478\"]\nrealm = \"example.com\"\nshared_secret = \"s\"\n",
         "2:17: udp: \":3478\" stands twice\n"},
        {served + "[[turn.user]]\nname = \"alice\"\n",
         "5:1: [[turn.user]] needs a password (write password or password_file, one of the two)\n"},
        {served + "[[turn.user]]\nname = \"a\"\npassword = \"b\"\n[[turn.user]]\nname = \"a\"\npassword = \"c\"\n",
         "9:8: name: user \"a\" stands twice (first at s.toml:6)\n"},
        {served + "tcp = \":443\"\n[listen]\nhttps = \":443\"\n",
         "5:7: [turn] tcp: \":443\" is taken by https \":443\" (at s.toml:7: a port has one use)\n"},
        {served + "dtls = \"192.0.2.1:3478\"\n",
         "5:8: dtls: \"192.0.2.1:3478\" is taken by udp \":3478\" (at s.toml:2: a port has one use)\n"},
        {served + "dtls = [\":5349\", \":5349\"]\n",
         "5:18: dtls: \":5349\" is taken by dtls \":5349\" (at s.toml:5: a port has one use)\n"},
        {"[stun]\nlisten = \"192.0.2.1:3478\"\nalternate_port = 3479\n",
         "2:10: listen: \"192.0.2.1:3478\" is not one of two (alternate_port needs two addresses of each family, on "
         "one "
         "port)\n"},
        {"[stun]\nlisten = [\"192.0.2.1:3478\", \"192.0.2.2:3478\", \"[2001:db8::1]:3478\"]\nalternate_port = 3479\n",
         "2:47: listen: \"[2001:db8::1]:3478\" is not one of two (alternate_port needs two addresses of each family, "
         "on "
         "one port)\n"},
        {"[stun]\nlisten = [\"192.0.2.1:3478\", \"192.0.2.2:3478\"]\nalternate_port = 3478\n",
         "2:11: listen: \"192.0.2.1:3478\" is on alternate_port (take another port for the one or the other)\n"
         "2:29: listen: \"192.0.2.2:3478\" is on alternate_port (take another port for the one or the other)\n"},
        {"[listen]\nmux = \":443\"\n[turn]\nrealm = \"example.com\"\n",
         "4:9: nobody may relay: [turn] has no shared_secret, and there is no [[turn.user]] (a relay without "
         "credentials is everybody's; for STUN alone use [stun])\n"},
        {served + "peer_deny = [\"10.0.0.0/33\"]\n",
         "5:14: peer_deny: \"10.0.0.0/33\" is not a network (such as \"10.0.0.0/8\", \"2001:db8::/32\" or "
         "one address)\n"},
        {served + "peer_allow = [\"10.0.0.1-10.0.0.9\"]\n",
         "5:15: peer_allow: \"10.0.0.1-10.0.0.9\" is not a network (such as \"10.0.0.0/8\", \"2001:db8::/32\" or "
         "one address)\n"},
        {"[turn]\nuser = \"alice\"\n", "2:8: \"user\" must be a list of tables, not a string (write [[turn.user]])\n"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.text);
        EXPECT_EQ(listing(load_here(c.text).errors), c.listing);
    }
}

TEST(TurnConfig, PairsTheAddressesThatNatBehaviorIsDiscoveredWith) {
    const auto pairs = [](const std::string& more) {
        const auto loaded = load_here(
            "[stun]\nlisten = [\"192.0.2.1:3478\", \"[2001:db8::1]:1\", \"192.0.2.2:3478\", "
            "\"[2001:db8::2]:1\"]\n" +
            more);
        return discovery_pairs(loaded.config->stun);
    };
    EXPECT_EQ(pairs("").size(), 0U);
    const auto both = pairs("alternate_port = 3479\n");
    ASSERT_EQ(both.size(), 2U);
    EXPECT_EQ(both[0][1].to_string(), "192.0.2.2:3478");
    EXPECT_EQ(both[1][0].to_string(), "[2001:db8::1]:1");
}

TEST(TurnConfig, IsServedOnThePortForManyAsSoonAsSomebodyMayRelay) {
    const std::string mux = "[listen]\nmux = \":443\"\n";
    EXPECT_FALSE(load_here(mux).config->mux_takes_turn());
    EXPECT_FALSE(load_here(served).config->mux_takes_turn());
    EXPECT_TRUE(load_here(mux + "[turn]\nrealm = \"a.example\"\nshared_secret = \"s\"\n").config->mux_takes_turn());
}

TEST(TurnConfig, WarnsOfAccountsThatNobodyCanUse) {
    EXPECT_EQ(listing(load_here("[[turn.user]]\nname = \"alice\"\npassword = \"s\"\n").warnings),
              "1:1: nobody can use this account: [turn] has no listener (write udp = \":3478\")\n");
}

}  // namespace
}  // namespace sallyport::config
