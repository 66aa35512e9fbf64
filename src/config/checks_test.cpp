#include "config/checks.hpp"

#include "config/test_support.hpp"

#include <gtest/gtest.h>

#include <algorithm>

using namespace sallyport;
using namespace sallyport::config;

TEST(Load, HoldsAServiceToItsRules) {
    struct Case {
        const char* text;
        const char* listing;
    };
    const std::string start = "[listen]\nhttp = \":80\"\n";
    const Case cases[] = {
        {"[[service]]\nname = \"a.example\"\n",
         "3:1: [[service]] has no \"protocol\" (The protocol that it is asked for in.)\n"
         "3:1: [[service]] has no \"target\" (Where it goes: an address, a host name, or \"builtin:welcome\", the "
         "gateway's own page. "
         "Several: as `balance` says; one that fails is left out until it answers again.)\n"},
        {"[[service]]\nname = \"a.example\"\nprotocol = \"http\"\ntarget = \"192.0.2.1\"\n",
         "3:1: [[service]] has neither \"plain_port\" nor \"tls_port\" (both: encryption stays as it came; one: "
         "everything goes to that port)\n"},
        {"[[service]]\nname = [\"a b\", \"*\"]\nprotocol = \"http\"\ntarget = \"192.0.2.1\"\nplain_port = 80\n",
         "4:9: name: \"a b\": this is not a DNS name (letters, digits, hyphens and dots, such as \"hq.example.com\")\n"
         "4:16: name: \"*\": a wildcard needs a domain: \"*.example.com\" (for requests without a name: default = "
         "true)\n"},
        {"[[service]]\nname = []\nprotocol = \"http\"\ntarget = []\nplain_port = 80\nallow_from = []\nallow_url = []\n",
         "4:8: name: an empty list (a service needs a name)\n"
         "6:10: target: an empty list (a service needs a target)\n"
         "8:14: allow_from: an empty list (it would admit nobody: remove the key to admit everyone)\n"
         "9:13: allow_url: an empty list (it would admit nothing: remove the key to admit every URL)\n"},
        {"[[service]]\nname = \"a.example\"\nprotocol = \"htp\"\ntarget = \"192.0.2.1\"\n",
         "5:12: protocol: \"htp\" is not known here (did you mean \"http\"? known: \"http\", \"sip\", \"ldap\", "
         "\"h323\", \"tls\")\n"},
        {"[[service]]\nname = \"a.example\"\nprotocol = \"http\"\ntarget = [\"127.0.0.1:8080\", \"pbx:80\", "
         "\"[::1]:80\", \"http://x/\", \"a b\", \"builtin:x\"]\nplain_port = 80\n",
         "6:11: target: a target has no port (write the port as plain_port = 8080 or tls_port = 8080)\n"
         "6:29: target: a target has no port (write the port as plain_port = 80 or tls_port = 80)\n"
         "6:39: target: a target has no port (write the port as plain_port = 80 or tls_port = 80)\n"
         "6:51: target: a target is a host, not a URL (plain_port and tls_port say how it is reached)\n"
         "6:64: target: \"a b\" is neither an address nor a host name (such as \"172.16.0.10\" or "
         "\"pbx.example.com\")\n"
         "6:71: target: \"builtin:x\" is not built in (there is \"builtin:welcome\")\n"},
        {"[[service]]\nname = \"a.example\"\nprotocol = \"http\"\ntarget = [\"builtin:welcome\", "
         "\"192.0.2.1\"]\ntls_port = 443\n",
         "6:11: target: what is built in stands alone\n"
         "7:1: tls_port: the target is built in and has no port (remove it)\n"},
        {"[[service]]\nname = \"a.example\"\nprotocol = \"http\"\ntarget = \"192.0.2.1\"\nplain_port = 0\ntls_port = "
         "65536\n",
         "7:14: plain_port: 0 is out of range (from 1 to 65535)\n8:12: tls_port: 65536 is out of range (from 1 to "
         "65535)\n"},
        {"[[service]]\nname = \"a.example\"\nprotocol = \"http\"\ntarget = \"192.0.2.1\"\nplain_port = 80\nallow_url = "
         "[\"PBX0\", \"/a/../b\"]\npreset = \"mypbxx\"\n",
         "8:14: allow_url: an allowed URL begins with \"/\" (write \"/PBX0\")\n"
         "8:22: allow_url: this rule can never match: a path with \"/../\" is refused before any rule is asked\n"
         "9:10: preset: \"mypbxx\" is not known here (did you mean \"mypbx\"? known: \"mypbx\", \"reporting\")\n"},
        {"[[service]]\nname = \"a.example\"\nprotocol = \"http\"\ntarget = \"192.0.2.1\"\nplain_port = 80\nsource = "
         "\"eth0\"\nconnect_timeout = \"1ms\"\n",
         "8:10: source: \"eth0\" is not an IP address (such as \"192.0.2.1\" or \"2001:db8::1\")\n"
         "9:19: connect_timeout: \"1ms\" is out of range (from 100ms to 10m)\n"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.text);
        EXPECT_EQ(listing(load_here(start + c.text).errors), c.listing);
    }
}

TEST(Load, HoldsTheTablesToOneAnother) {
    struct Case {
        std::string text;
        const char* listing;
    };
    const std::string service = std::string(good_service) + "plain_port = 80\n";
    const Case cases[] = {
        {"[listen]\nhttp = \":80\"\nhttps = \"192.0.2.1:80\"\n",
         "3:9: https: \"192.0.2.1:80\" is taken by http \":80\" (at s.toml:2: a port has one use)\n"},
        {"[listen]\nhttp = [\"0.0.0.0:80\", \"192.0.2.1:80\"]\n",
         "2:23: http: \"192.0.2.1:80\" is taken by http \"0.0.0.0:80\" (at s.toml:2: a port has one use)\n"},
        {"[listen]\nhttp = [\"192.0.2.1:80\", \"0.0.0.0:80\"]\n",
         "2:25: http: \"0.0.0.0:80\" is taken by http \"192.0.2.1:80\" (at s.toml:2: a port has one use)\n"},
        {"[listen]\nhttp = [\"0.0.0.0:80\", \"[::]:80\", \"192.0.2.1:81\", \"192.0.2.2:81\"]\n", ""},
        {"[listen]\nhttp = [\"[::]:80\", \"192.0.2.1:80\"]\n", ""},
        {"[admin]\nlisten = \"127.0.0.1:443\"\n[listen]\nhttps = \":443\"\n",
         "2:10: [admin] listen: \"127.0.0.1:443\" is taken by https \":443\" (at s.toml:4: a port has one use)\n"},
        {"[[certificate]]\nname = \"a\"\nchain = \"a\"\nkey = \"a\"\n[[certificate]]\nname = \"a\"\nchain = \"b\"\nkey "
         "= \"b\"\n",
         "6:8: name: certificate \"a\" stands twice (first at s.toml:2)\n"},
        {service + "[[service]]\nname = [\"b.example\", \"A.example\"]\nprotocol = \"http\"\ntarget = "
                   "\"192.0.2.2\"\nplain_port = 80\n",
         "7:22: name: \"a.example\" stands twice for protocol \"http\" (first at s.toml:2)\n"},
        {service + "default = true\n[[service]]\nname = \"b.example\"\nprotocol = \"http\"\ntarget = "
                   "\"builtin:welcome\"\ndefault = true\n",
         "7:1: a second service is the default for protocol \"http\" (the first stands at s.toml:1)\n"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.text);
        EXPECT_EQ(listing(load_here(c.text).errors), c.listing);
    }
}

TEST(Load, WarnsOfWhatIsProbablyNotMeant) {
    struct Case {
        std::string text;
        const char* listing;
    };
    const std::string service = std::string(good_service) + "plain_port = 80\n";
    const Case cases[] = {
        {"[listen]\nhttps = \":443\"\n",
         "2:9: https: there is no [[certificate]]: a self-signed one is made at the first start "
         "(browsers will warn; for a real one write [[certificate]] with chain and key)\n"},
        {service, "1:1: nobody can reach this service: [listen] serves no port for protocol \"http\"\n"},
        {"[listen]\nhttp = \":80\"\n" + service + "allow_url = [\"/PBX0\", \"/apps/\", \"/\"]\n",
         "8:23: allow_url: \"/apps/\" admits no further \"/\" after it, unlike nginx's locations (\"/apps\" admits all "
         "that begins so)\n"
         "8:33: allow_url: \"/\" admits no further \"/\" after it, unlike nginx's locations (remove allow_url to admit "
         "every path)\n"},
        {"[listen]\nhttp = \":80\"\n" + service + "target_ca = \"ca.pem\"\n",
         "8:1: target_ca: has no effect without tls_port\n"},
        {"[admin]\nmetrics_from = \"10.1.2.3/8\"\n",
         "2:16: metrics_from: \"10.1.2.3/8\" has bits set beyond its prefix (it is read as \"10.0.0.0/8\")\n"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.text);
        const auto loaded = load_here(c.text);
        EXPECT_EQ(listing(loaded.errors), "");
        EXPECT_TRUE(loaded.config);
        EXPECT_EQ(listing(loaded.warnings), c.listing);
    }
}

// What load() can't reach before later versions serve these protocols.
TEST(FinishService, HoldsLaterProtocolsToTheirPortRules) {
    struct Case {
        Protocol protocol;
        std::vector<std::string_view> keys;
        const char* listing;
    };
    const Case cases[] = {
        {Protocol::tls,
         {"protocol", "plain_port"},
         "0:0: plain_port: protocol \"tls\" is passed through as it is, there is no plain side\n"
         "0:0: [[service]] has no \"tls_port\" (protocol \"tls\" needs the target's port)\n"},
        {Protocol::tls, {"protocol", "tls_port", "allow_url"}, "0:0: allow_url: protocol \"tls\" knows no such key\n"},
        {Protocol::tls, {"protocol", "tls_port", "default"}, "0:0: default: protocol \"tls\" knows no such key\n"},
        {Protocol::h323,
         {"protocol", "tls_port", "check_certificate"},
         "0:0: check_certificate: needs both plain_port and tls_port (a valid certificate goes to the one, everything "
         "else to the other)\n"},
        {Protocol::h323, {"protocol", "plain_port", "tls_port", "check_certificate", "registration_name"}, ""},
        {Protocol::sip, {"protocol", "plain_port", "tls_port", "check_certificate", "route_header"}, ""},
        {Protocol::ldap,
         {"protocol", "plain_port", "check_certificate", "redirect_to_https"},
         "0:0: check_certificate: protocol \"ldap\" knows no such key\n"
         "0:0: redirect_to_https: protocol \"ldap\" knows no such key\n"
         "0:0: check_certificate: needs both plain_port and tls_port (a valid certificate goes to the one, everything "
         "else to the other)\n"},
    };
    const Table& table = *std::ranges::find(schema(), "service", &Table::name);
    for (const Case& c : cases) {
        Service service;
        service.protocol = c.protocol;
        service.check_certificate = true;
        GivenKeys given;
        for (const auto key : c.keys) given.push_back({table.find(key), {}, true});
        Findings findings;
        finish_service(service, given, presets, findings);
        EXPECT_EQ(listing(findings.errors), c.listing);
    }
    Service welcome;
    welcome.protocol = Protocol::ldap;
    welcome.targets.push_back({{.kind = Target::Kind::builtin, .text = "welcome"}, {}});
    Findings findings;
    finish_service(welcome, {{table.find("protocol"), {}, true}}, presets, findings);
    EXPECT_EQ(listing(findings.errors), "0:0: target: what is built in speaks http only\n");
}

TEST(Load, ComparesGatekeeperIdsWithoutCaseAndPhysicalLocation) {
    const std::string start = "[listen]\nh323 = \":1720\"\n";
    const std::string service = "protocol = \"h323\"\ntarget = \"192.0.2.1\"\nplain_port = 1720\n";
    const auto loaded = load_here(start + "[[service]]\nname = \"Example.com/branch\"\n" + service +
                                  "[[service]]\nname = \"hq@example.com/Branch\"\n" + service);
    EXPECT_EQ(listing(loaded.errors),
              "9:8: name: \"example.com/branch\" stands twice for protocol \"h323\" (first at s.toml:4)\n");
}

TEST(CheckAll, KnowsThatOnePortForAllSpeaksPlainHttpAndTls) {
    for (const auto listener : {&Listen::http, &Listen::https, &Listen::mux}) {
        Config config;
        config.certificates.emplace_back();
        config.trust.ca.push_back({"ca.pem", {}});
        Service& service = config.services.emplace_back();
        service.redirect_to_https = true;
        service.client_certificate = ClientCertificate::required;
        (config.listen.*listener).push_back({{.address = {.ip = {}, .port = 443}, .dual_stack = true}, {}});
        Findings findings;
        check_all(config, findings);
        EXPECT_EQ(listing(findings.errors), "");
        EXPECT_EQ(findings.warnings.empty(), listener == &Listen::mux) << listing(findings.warnings);
    }
}

TEST(CheckAll, WantsAuthoritiesAndATlsPortForCertificatesThatAreHeldAgainstNames) {
    struct Case {
        Listen::Addresses Listen::* listener;
        bool trust;
        const char* errors;
        const char* warnings;
    };
    const Case cases[] = {
        {&Listen::sips, true, "", ""},
        {&Listen::mux, true, "", ""},
        {&Listen::sips, false,
         "0:0: check_certificate: there is no [trust] to hold certificates against (write [trust] with ca, the "
         "certificates of the authorities that you trust)\n",
         ""},
        {&Listen::sip, true, "", "0:0: check_certificate: [listen] has no sips, so nobody can show one\n"},
    };
    for (const Case& c : cases) {
        Config config;
        config.certificates.emplace_back();
        if (c.trust) config.trust.ca.push_back({"ca.pem", {}});
        Service& service = config.services.emplace_back();
        service.protocol = Protocol::sip;
        service.check_certificate = true;
        (config.listen.*c.listener).push_back({{.address = {.ip = {}, .port = 5061}, .dual_stack = true}, {}});
        Findings findings;
        check_all(config, findings);
        EXPECT_EQ(listing(findings.errors), c.errors);
        EXPECT_EQ(listing(findings.warnings), c.warnings);
    }
}

TEST(CheckAll, LetsPassedThroughTlsInByAnyListenerThatSpeaksTls) {
    struct Case {
        Listen::Addresses Listen::* listener;
        bool reachable;
    };
    const Case cases[] = {{&Listen::http, false},
                          {&Listen::https, true},
                          {&Listen::ldaps, true},
                          {&Listen::sip, false},
                          {&Listen::mux, true}};
    for (const Case& c : cases) {
        Config config;
        config.certificates.emplace_back();
        config.services.emplace_back().protocol = Protocol::tls;
        (config.listen.*c.listener).push_back({{.address = {.ip = {}, .port = 443}, .dual_stack = true}, {}});
        Findings findings;
        check_all(config, findings);
        EXPECT_EQ(findings.warnings.empty(), c.reachable);
    }
}

TEST(Load, HoldsTheGuardsListsAgainstOneAnother) {
    struct Case {
        const char* text;
        const char* listing;
    };
    const Case cases[] = {
        {"never_ban = [\"10.0.0.0/8\"]\nalways_ban = \"10.1.0.0/16\"\n",
         "3:14: always_ban: \"10.1.0.0/16\" is never banned by \"10.0.0.0/8\" (at test.toml:2: remove it from one of "
         "the "
         "two)\n"},
        {"never_ban = \"10.1.2.3\"\nalways_ban = \"10.1.0.0/16\"\n", ""},
        {"suspicious_per_minute = 0\nban_for = \"0s\"\n",
         "2:25: suspicious_per_minute: 0 is out of range (from 1 to 10000)\n"
         "3:11: ban_for: \"0s\" is out of range (from 1s to 365d)\n"},
    };
    for (const Case& one : cases) {
        const Loaded loaded = load_text("test.toml", std::string("[guard]\n") + one.text, {});
        EXPECT_EQ(listing(loaded.errors), one.listing);
    }
    const Loaded everybody = load_text("test.toml", "[guard]\nnever_ban = \"0.0.0.0/0\"\nalways_ban = \"::/0\"\n", {});
    EXPECT_EQ(everybody.warnings.size(), 2U);
}
