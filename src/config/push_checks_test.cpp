#include "config/push_checks.hpp"

#include "config/test_support.hpp"

#include <gtest/gtest.h>

using namespace sallyport;
using namespace sallyport::config;

TEST(Push, IsReadWithItsProxies) {
    const auto loaded = load_here(
        "[push]\nvip = [\"10.100.100.0/24\", \"fd00:100::/64\"]\nports = [5223, 443]\nfamilies = \"courier.sandbox\"\n"
        "via = [\"http://proxy.dmz:3128\", \"socks5://u%40x:p@[fd00::1]:1080\"]\n");
    ASSERT_TRUE(loaded.config) << listing(loaded.errors);
    const Push& push = loaded.config->push;
    EXPECT_EQ(push.ports.size(), 2U);
    ASSERT_EQ(push.families.size(), 1U);
    EXPECT_EQ(push.families[0].value, PushFamily::courier_sandbox);
    ASSERT_EQ(push.via.size(), 2U);
    EXPECT_EQ(push.via[0].value.to_string(), "http://proxy.dmz:3128");
    EXPECT_EQ(push.via[1].value, (ProxyUrl{ProxyUrl::Kind::socks5, "fd00::1", 1080, "u@x", "p"}));
    EXPECT_EQ(push.via[1].value.to_string(), "socks5://[fd00::1]:1080") << "no password in any log";
    EXPECT_EQ(listing(loaded.warnings), "");
}

TEST(Push, SaysWhatIsWrongWithIt) {
    struct Case {
        const char* text;
        const char* errors;
    };
    const Case cases[] = {
        {"vip = \"10.100.100.0/27\"\n",
         "2:7: vip: \"10.100.100.0/27\" has no room for couriers 0 to 50 (64 addresses or more, or one that stands for "
         "all)\n"},
        {"vip = \"10.100.100.0/26\"\nproviders = true\n",
         "2:7: vip: \"10.100.100.0/26\" has no room for senders' servers (with providers = true it takes 256 "
         "addresses)\n"},
        {"vip = [\"10.100.100.0/24\", \"10.100.0.0/16\"]\n",
         "2:27: vip: \"10.100.0.0/16\" overlaps \"10.100.100.0/24\"\n"},
        {"vip = \"17.1.2.3\"\n",
         "2:7: vip: \"17.1.2.3/32\" is Apple's (take addresses that lead nowhere, such as 10.100.100.0/24)\n"},
        {"vip = \"10.1.0.0/24\"\nallow_to = \"10.0.0.0/8\"\n",
         "2:7: vip: \"10.1.0.0/24\" lies in allow_to (such addresses are Apple's; take some of your own)\n"},
        {"vip = \"fd00::1\"\nallow_to = \"0.0.0.0/0\"\n",
         "3:12: allow_to: everywhere would make this an open proxy (remove the key: Apple's networks are its "
         "default)\n"},
        {"vip = \"10.1.2.3\"\nvia = \"https://proxy:3128\"\n",
         "3:7: via: \"https://proxy:3128\" is no proxy (it begins with http:// or socks5://)\n"},
        {"vip = \"10.1.2.3\"\nvia = \"http://proxy\"\n",
         "3:7: via: \"http://proxy\" is no proxy (it ends with the proxy's port)\n"},
        {"vip = \"10.1.2.3\"\nports = [5223, 0, \"x\"]\n",
         "3:16: ports: 0 is out of range (from 1 to 65535)\n"
         "3:19: ports: must be a port, not a string\n"},
        {"vip = \"10.1.2.3\"\nports = []\n",
         "3:9: ports: an empty list (it would serve nobody: remove the key for Apple's ports)\n"},
    };
    for (const Case& c : cases)
        EXPECT_EQ(listing(load_here(std::string("[push]\n") + c.text).errors), c.errors) << c.text;
}

TEST(Push, WarnsWhereItServesNobody) {
    EXPECT_EQ(listing(load_here("[push]\nproviders = true\n").warnings),
              "1:1: [push] serves nobody (write vip, or intercept = true)\n");
    EXPECT_EQ(listing(load_here("[push]\nintercept = true\n").warnings), "");
}
