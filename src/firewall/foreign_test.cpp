#include "firewall/foreign.hpp"

#include "firewall/testing.hpp"

#include <gtest/gtest.h>

using namespace sallyport;
using namespace sallyport::firewall;
using namespace sallyport::firewall::testing;

namespace {

std::string found(const std::string& ruleset, const config::Config& config) {
    std::string out;
    for (const Obstacle& obstacle : obstacles(ruleset, derive(config))) out += to_text(obstacle) + '\n';
    return out;
}

std::string table(const std::string& chains) { return "table inet filter {\n" + chains + "}\n"; }

std::string chain(const std::string& base, const std::string& rules = "", const std::string& name = "input") {
    return "\tchain " + name + " {\n\t\t" + base + "\n" + rules + "\t}\n";
}

const std::string strict = "type filter hook input priority filter; policy drop;";
const std::string mild = "type filter hook input priority filter + 10; policy accept;";

}  // namespace

TEST(Foreign, APolicyThatDropsIsNamedWithWhatItStops) {
    const std::string text = found(table(chain(strict,
                                               "\t\tct state established,related accept\n\t\tiifname \"lo\" accept\n"
                                               "\t\ttcp dport { 22, 80, 400-450 } counter accept\n")),
                                   one_interface());
    EXPECT_NE(text.find("chain input of table inet filter, priority filter"), std::string::npos) << text;
    EXPECT_EQ(text.find("listen.http "), std::string::npos) << text;
    EXPECT_EQ(text.find("listen.https"), std::string::npos) << text;
    EXPECT_NE(text.find("listen.ldap"), std::string::npos) << text;
    EXPECT_NE(text.find("admin.listen"), std::string::npos) << text;
}

TEST(Foreign, ARuleThatDropsIsShown) {
    EXPECT_NE(found(table(chain(mild, "\t\tip saddr 198.51.100.0/24 drop\n")), one_interface())
                  .find("\"ip saddr 198.51.100.0/24 drop\""),
              std::string::npos);
    EXPECT_NE(found(table(chain(mild, "\t\ttcp dport 443 jump bad\n") + chain("tcp flags syn reject", "", "bad")),
                    one_interface())
                  .find("tcp flags syn reject"),
              std::string::npos);
}

TEST(Foreign, WhatDropsNothingOfOursIsNotNamed) {
    const auto config = one_interface();
    EXPECT_EQ(found("", config), "");
    EXPECT_EQ(found(table(chain(mild)), config), "");
    EXPECT_EQ(found(table(chain(mild, "\t\tct state invalid drop\n")), config), "");
    EXPECT_EQ(found(table(chain(mild, "\t\tcounter comment \"we do not drop\"\n")), config), "");
    EXPECT_EQ(found(table(chain(strict, "\t\ttcp dport 1-65535 accept\n")), config), "");
    EXPECT_EQ(found(table(chain(strict, "\t\tip saddr 10.0.0.0/8 accept\n")), config), "");  // it may fit
    EXPECT_EQ(found("table inet sallyport {\n" + chain(strict) + "}\n", config), "");
    EXPECT_EQ(found("table inet sallyport_bans {\n" + chain(mild, "\t\tip saddr @banned reject\n") + "}\n", config),
              "");
    EXPECT_EQ(found(table(chain("type filter hook output priority filter; policy drop;", "", "output")), config), "");
    EXPECT_EQ(found(table(chain("tcp dport 443 drop", "", "nobody_jumps_here")), config), "");
}

TEST(Foreign, ForwardingMattersToARouterAlone) {
    const std::string docker = table(chain("type filter hook forward priority filter; policy drop;", "", "FORWARD"));
    EXPECT_EQ(found(docker, one_interface()), "");
    EXPECT_NE(found(docker, router()).find("firewall.presets.apns"), std::string::npos);
}

TEST(Foreign, AnyTextIsRead) {
    for (const char* text :
         {"table", "table inet x {", "chain", "\tchain\n", "table inet x {\n\tchain y {\n\t\ttype",
          "table inet x {\n\tchain y {\n\t\ttype filter hook\n\t\ttcp dport\n\t\ttcp dport {\n\t\tjump\n"})
        found(text, one_interface());
}
