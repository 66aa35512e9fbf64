#include "config/names.hpp"

#include <gtest/gtest.h>

using namespace sallyport;
using namespace sallyport::config;

TEST(ServiceName, TakesWhatTheProtocolCanCarryAndBringsItIntoOneForm) {
    struct Case {
        Protocol protocol;
        const char* name;
        const char* canonical;
    };
    const Case cases[] = {
        {Protocol::http, "HQ.Example.com", "hq.example.com"},
        {Protocol::http, "localhost", "localhost"},
        {Protocol::http, "*.Example.com", "*.example.com"},
        {Protocol::http, "192.0.2.1", "192.0.2.1"},
        {Protocol::http, "[2001:DB8::1]", "[2001:db8::1]"},
        {Protocol::http, "2001:DB8:0::1", "[2001:db8::1]"},
        {Protocol::sip, "*.example.com", "*.example.com"},
        {Protocol::ldap, "*.example.com", "*.example.com"},
        {Protocol::tls, "_x.3com.example", "_x.3com.example"},
        {Protocol::h323, "hq@Example.com/Branch", "example.com/branch"},
        {Protocol::h323, "example.com/hq:hq-standby", "example.com/hq:hq-standby"},
        {Protocol::h323, "3com", "3com"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        const auto complaint = check_service_name(c.protocol, c.name);
        EXPECT_FALSE(complaint) << complaint->message;
        EXPECT_EQ(canonical_service_name(c.protocol, c.name), c.canonical);
    }
}

TEST(ServiceName, SaysWhatIsWrongWithTheRest) {
    const std::string long_label = std::string(64, 'a') + ".example";
    const std::string long_name = std::string(50, 'a') + '.' + std::string(50, 'b') + '.' + std::string(50, 'c') + '.' +
                                  std::string(50, 'd') + '.' + std::string(50, 'e');
    struct Case {
        Protocol protocol;
        std::string name;
        const char* message;
    };
    const Case cases[] = {
        {Protocol::http, "*", "a wildcard needs a domain: \"*.example.com\""},
        {Protocol::http, "a.*.example.com", "a wildcard is the whole first label"},
        {Protocol::http, "*a.example.com", "a wildcard is the whole first label"},
        {Protocol::http, "http://hq.example.com", "this is a URL, not a name"},
        {Protocol::http, "hq.example.com/path", "a name has no path"},
        {Protocol::http, "hq.example.com.", "a name has no final dot here"},
        {Protocol::http, "hq.example.com:8080", "a name has no port"},
        {Protocol::http, "m\xC3\xBCller.example", "a name is ASCII on the wire"},
        {Protocol::http, "hq..example.com", "this is not a DNS name"},
        {Protocol::http, "-hq.example.com", "this is not a DNS name"},
        {Protocol::http, "hq-.example.com", "this is not a DNS name"},
        {Protocol::http, "hq example", "this is not a DNS name"},
        {Protocol::http, "10.0.0.256", "this is not a DNS name"},
        {Protocol::http, "[192.0.2.1]", "this is not a DNS name"},
        {Protocol::http, long_label, "this is not a DNS name"},
        {Protocol::http, long_name, "this is not a DNS name"},
        {Protocol::tls, "192.0.2.1", "an address is no name in tls"},
        {Protocol::h323, "*.example.com", "a gatekeeper id has no wildcard"},
        {Protocol::h323, "hq@", "this is not a gatekeeper id"},
        {Protocol::h323, "hq@/branch", "this is not a gatekeeper id"},
        {Protocol::h323, "example com", "this is not a gatekeeper id"},
        {Protocol::h323, std::string(129, 'a'), "this is not a gatekeeper id"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        const auto complaint = check_service_name(c.protocol, c.name);
        ASSERT_TRUE(complaint);
        EXPECT_EQ(complaint->message, c.message);
    }
}

TEST(UrlRule, IsAPathThatSomeRequestCouldMatch) {
    for (const char* good : {"/", "/PBX0/MY", "/apps/", "/ap/cdr.fcgi", "/%C3%BC", "/a..b", "/.well-known/x"}) {
        EXPECT_FALSE(check_url_rule(good)) << good;
    }
    for (const char* bad :
         {"", "PBX0", "http://x/", "/a?b", "/a#b", "/a b", "/a\tb", "/a/../b", "/a/./b", "/a%2Fb", "/a%5cb", "/a\\b"}) {
        EXPECT_TRUE(check_url_rule(bad)) << bad;
    }
    EXPECT_EQ(check_url_rule("PBX0/MY")->hint, "write \"/PBX0/MY\"");
}
