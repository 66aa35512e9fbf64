#include "config/dns_checks.hpp"

#include "config/test_support.hpp"

#include <gtest/gtest.h>

namespace sallyport::config {
namespace {

const std::string start = "[dns]\nlisten = \":53\"\n";

TEST(DnsConfig, IsReadWhole) {
    const auto loaded = load_here(
        "[dns]\nlisten = \":53\"\nupstream = [\"9.9.9.9\", \"tls://1.1.1.1#One.one.one.one\", \"[2620:fe::fe]:5353\"]\n"
        "[[dns.view]]\nname = \"branch\"\nclients = \"10.2.0.0/16\"\nupstream = \"10.2.0.1\"\n"
        "[[dns.forward]]\ndomain = [\"Corp.Example.\", \"10.in-addr.arpa\"]\nupstream = \"172.16.0.53:5300\"\n"
        "[[dns.record]]\nname = [\"HQ.example.com\", \"*.apps.example.com\"]\naddress = [\"172.16.0.10\", "
        "\"fd00::10\"]\n"
        "view = \"branch\"\nttl = \"30s\"\n");
    ASSERT_TRUE(loaded.config) << listing(loaded.errors);
    const Config& config = *loaded.config;
    std::string upstreams;
    for (const auto& upstream : config.dns.upstream) upstreams += upstream.value.to_string() + ' ';
    EXPECT_EQ(upstreams, "9.9.9.9 tls://1.1.1.1#one.one.one.one [2620:fe::fe]:5353 ");
    EXPECT_EQ(config.dns.upstream[1].value.address.port, 853);
    EXPECT_EQ(config.dns_views.front().upstream.front().value.to_string(), "10.2.0.1");
    EXPECT_EQ(config.dns_forwards.front().domains.front().value.text, "corp.example");
    EXPECT_EQ(config.dns_forwards.front().upstream.front().value.to_string(), "172.16.0.53:5300");
    EXPECT_EQ(config.dns_records.front().names.front().value.text, "hq.example.com");
    EXPECT_TRUE(config.dns_records.front().names.back().value.is_pattern());
    EXPECT_EQ(config.dns_records.front().ttl, std::chrono::seconds(30));
}

TEST(DnsConfig, NamesWhatIsWrong) {
    struct Case {
        const char* text;
        const char* listing;
    };
    const Case cases[] = {
        {"upstream = [\"dns.example\", \"9.9.9.9:0\", \"tls://9.9.9.9\"]\n",
         "3:13: upstream: \"dns.example\" is no name server (it is an address, with a port or without: \"9.9.9.9\", "
         "\"[2620:fe::fe]:5353\")\n"
         "3:28: upstream: \"9.9.9.9:0\" is no name server (it is an address, with a port or without: \"9.9.9.9\", "
         "\"[2620:fe::fe]:5353\")\n"
         "3:41: upstream: \"tls://9.9.9.9\" is no name server (by TLS it needs the name that its certificate bears: "
         "\"tls://1.1.1.1#one.one.one.one\")\n"},
        {"upstream = 'tls://9.9.9.9#a\"} 1'\n",  // names are labels of metrics
         "3:12: upstream: \"tls://9.9.9.9#a\"} 1\" is no name server (by TLS it needs the name that its certificate "
         "bears: \"tls://1.1.1.1#one.one.one.one\")\n"},
        {"deny = [\"a..b\", \"*.ads.example\"]\n",
         "3:9: deny: \"a..b\" is no domain name (labels of at most 63 characters, 253 in all)\n"
         "3:17: deny: \"*.ads.example\" is a pattern (write \"ads.example\": what is below it is meant too)\n"},
        {"clients = []\n",
         "3:11: clients: an empty list (it would answer nobody: remove the key for private networks)\n"},
        {"[[dns.view]]\nname = \"a\"\nclients = \"10.0.0.0/8\"\n[[dns.view]]\nname = \"a\"\nclients = \"10.0.0.0/8\"\n",
         "7:8: name: view \"a\" stands twice (first at s.toml:4)\n"},
        {"[[dns.view]]\nname = \"branch\"\nclients = \"10.0.0.0/8\"\n[[dns.record]]\nname = \"a.example\"\nview = "
         "\"brnch\"\n",
         "8:8: view: no [[dns.view]] is named \"brnch\" (did you mean \"branch\"?)\n"},
        {"[[dns.record]]\nname = \"a.example\"\n[[dns.record]]\nname = [\"b.example\", \"A.Example.\"]\n",
         "6:22: name: \"a.example\" stands twice (first at s.toml:4)\n"},
        {"[[dns.forward]]\ndomain = \"*.corp.example\"\nupstream = \"10.0.0.1\"\n",
         "4:10: domain: \"*.corp.example\" is a pattern (write \"corp.example\": what is below it is meant too)\n"},
        {"[[dns.forward]]\ndomain = \"corp.example\"\n", "3:1: [[dns.forward]] has no \"upstream\" (Who is asked.)\n"},
        {"[[dns.zone]]\nname = \"a\"\n", "3:7: unknown key \"zone\" in [dns]\n"},
        {"[dns.view]\nname = \"a\"\n", "3:1: \"view\" must be a list of tables, not a table (write [[dns.view]])\n"},
        {"[admin]\nlisten = \":53\"\n",
         "4:10: [admin] listen: \":53\" is taken by [dns] listen \":53\" (at s.toml:2: a port has one use)\n"},
        {"[stun]\nlisten = \"192.0.2.1:53\"\n",
         "2:10: listen: \":53\" is taken by [stun] listen \"192.0.2.1:53\" (at s.toml:4: a port has one use)\n"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.text);
        EXPECT_EQ(listing(load_here(start + c.text).errors), c.listing);
    }
}

TEST(DnsConfig, MayTellEachViewOfANameOnce) {
    const std::string views =
        "[[dns.view]]\nname = \"a\"\nclients = \"10.0.0.0/9\"\n[[dns.view]]\nname = \"b\"\nclients = "
        "\"10.128.0.0/9\"\n";
    const std::string record = "[[dns.record]]\nname = \"a.example\"\n";
    EXPECT_EQ(listing(load_here(start + views + record + record + "view = \"a\"\n" + record + "view = \"b\"\n").errors),
              "");
    EXPECT_EQ(listing(load_here(start + views + record + "view = [\"a\", \"b\"]\n" + record + "view = \"b\"\n").errors),
              "13:8: name: \"a.example\" stands twice for view \"b\" (first at s.toml:10)\n");
}

TEST(DnsConfig, WarnsWhereNobodyCanAsk) {
    EXPECT_EQ(listing(load_here("[[dns.record]]\nname = \"a.example\"\n").warnings),
              "1:1: [[dns.record]]: nobody can ask, for [dns] has no listen\n");
}

}  // namespace
}  // namespace sallyport::config
