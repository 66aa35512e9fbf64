#include "config/egress_checks.hpp"

#include "config/test_support.hpp"

#include <gtest/gtest.h>

using namespace sallyport;
using namespace sallyport::config;

TEST(Egress, IsReadWithItsPins) {
    const auto loaded = load_here(
        "[egress]\npool = [\"192.0.2.16/28\", \"2001:db8::/124\"]\nmode = \"exclusive\"\nseed = \"site-1\"\n"
        "radius = \"0.0.0.0:1813\"\nradius_secret = \"s\"\n"
        "[[egress.pin]]\nclient = \"10.1.2.3\"\nsource = \"192.0.2.17\"\n"
        "[[egress.pin]]\nmac = \"02-00-5E-10-00-0A\"\nsource = \"192.0.2.18\"\n");
    ASSERT_TRUE(loaded.config) << listing(loaded.errors);
    EXPECT_EQ(loaded.config->egress.pool.size(), 2U);
    EXPECT_EQ(loaded.config->egress.mode, EgressMode::exclusive);
    ASSERT_EQ(loaded.config->egress_pins.size(), 2U);
    EXPECT_EQ(loaded.config->egress_pins[0].client->value, IpAddress::parse("10.1.2.3"));
    EXPECT_EQ(loaded.config->egress_pins[1].mac.value, "02:00:5e:10:00:0a");
    EXPECT_EQ(listing(loaded.warnings), "");
}

TEST(Egress, SaysWhatIsWrongWithIt) {
    struct Case {
        const char* name;
        const char* text;
        const char* errors;
    };
    const Case cases[] = {
        {"too large a pool", "[egress]\npool = [\"10.0.0.0/20\", \"192.0.2.1\"]\n",
         "2:24: pool: more than 4096 addresses (each is weighed for each user: name fewer, or smaller networks)\n"},
        {"an IPv6 network of the usual size", "[egress]\npool = \"2001:db8::/64\"\n",
         "2:8: pool: more than 4096 addresses (each is weighed for each user: name fewer, or smaller networks)\n"},
        {"no secret", "[egress]\npool = \"192.0.2.1\"\nradius = \":1813\"\n",
         "3:10: radius: there is no secret, so nobody could be believed (write radius_secret_file, or "
         "radius_secret)\n"},
        {"two secrets",
         "[egress]\npool = \"192.0.2.1\"\nradius = \":1813\"\nradius_secret = \"a\"\nradius_secret_file = \"/b\"\n",
         "5:22: radius_secret_file: radius_secret stands there too\n"},
        {"nobody's pin", "[[egress.pin]]\nsource = \"192.0.2.1\"\n",
         "1:1: [[egress.pin]] says nobody's name (write one of client, network, mac and user)\n"},
        {"a pin for two", "[[egress.pin]]\nsource = \"192.0.2.1\"\nuser = \"a\"\nclient = \"10.1.2.3\"\n",
         "1:1: [[egress.pin]] is for one only (write one of client, network, mac and user)\n"},
        {"no source", "[[egress.pin]]\nuser = \"a\"\n",
         "1:1: [[egress.pin]] has no \"source\" (The address that its connections go out from.)\n"},
        {"a broken address", "[[egress.pin]]\nsource = \"192.0.2.1\"\nmac = \"02:00\"\n",
         "3:7: mac: \"02:00\" is no hardware address (such as \"02:00:5e:10:00:01\")\n"},
        {"one device twice",
         "[[egress.pin]]\nsource = \"192.0.2.1\"\nmac = \"02:00:5e:10:00:01\"\n"
         "[[egress.pin]]\nsource = \"192.0.2.2\"\nmac = \"0200.5E10.0001\"\n",
         "4:1: a second source for mac 02:00:5e:10:00:01 (the first stands at s.toml:1)\n"},
        {"a shared address",
         "[egress]\nmode = \"exclusive\"\n[[egress.pin]]\nsource = \"192.0.2.1\"\nuser = \"a\"\n"
         "[[egress.pin]]\nsource = \"192.0.2.1\"\nuser = \"b\"\n",
         "7:10: source: \"192.0.2.1\" is given twice, and mode is exclusive (first at s.toml:4)\n"},
        {"an unknown key within", "[[egress.pin]]\nsource = \"192.0.2.1\"\nusr = \"a\"\n",
         "1:1: [[egress.pin]] says nobody's name (write one of client, network, mac and user)\n"
         "3:1: unknown key \"usr\" in [[egress.pin]] (did you mean \"user\"?)\n"},
        {"one table in place of a list", "[egress.pin]\nsource = \"192.0.2.1\"\n",
         "1:1: \"pin\" must be a list of tables, not a table (write [[egress.pin]])\n"},
    };
    for (const Case& c : cases) EXPECT_EQ(listing(load_here(c.text).errors), c.errors) << c.name;
}

TEST(Egress, TakesOneUserWithASourceOfEachFamily) {
    EXPECT_EQ(listing(load_here("[[egress.pin]]\nuser = \"a\"\nsource = \"192.0.2.1\"\n"
                                "[[egress.pin]]\nuser = \"a\"\nsource = \"2001:db8::1\"\n")
                          .errors),
              "");
}

TEST(Egress, WarnsOfWhatHasNoEffect) {
    EXPECT_EQ(listing(load_here("[egress]\nleases = \"/l\"\nradius = \":1813\"\nradius_secret = \"s\"\n").warnings),
              "2:10: leases: has no effect without pool or [[egress.pin]]\n"
              "3:10: radius: has no effect without pool or [[egress.pin]]\n");
    EXPECT_EQ(listing(load_here("[egress]\nradius_secret = \"s\"\n").warnings),
              "2:17: radius_secret: has no effect without radius\n");
}
