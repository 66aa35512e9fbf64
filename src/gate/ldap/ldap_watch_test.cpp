// What passes to the target once an LDAP connection is routed.
#include "gate/ldap/watch.hpp"

#include "gate/routed_testing.hpp"

#include <gtest/gtest.h>

#include <string>

using namespace sallyport;
using namespace sallyport::gate;
using namespace sallyport::gate::ldap;
using gate::testing::snapshot_of;
using telemetry::Reason;

namespace {

std::string element(unsigned char tag, std::string_view contents) {
    return static_cast<char>(tag) + std::string(1, static_cast<char>(contents.size())) + std::string(contents);
}

std::string bind(std::string_view name) {
    return element(0x30, element(0x02, "\x01") +
                             element(0x60, element(0x02, "\x03") + element(0x04, name) + element(0x80, "secret")));
}

struct Routed : gate::testing::RoutedConnection<LdapWatch> {
    Routed() : RoutedConnection(config::Protocol::ldap, "hq.example.com", false) {
        watch = std::make_unique<LdapWatch>(session, tunnel.service, false);
    }
    /// A reload with one service. @param names  as the file writes them
    void reload(const char* names) {
        at.gate.adopt(snapshot_of(at.book, "[[service]]\nname = " + std::string(names) +
                                               "\nprotocol = \"ldap\"\ntarget = [\"10.0.0.1\"]\nplain_port = 389\n"));
    }
};

}  // namespace

TEST(LdapWatch, KnowsItsServiceAgainWhicheverOfItsNamesStandsFirst) {
    struct Case {
        const char* names;
        bool passes;
    };
    const Case cases[] = {
        {"\"hq.example.com\"", true},
        {"[\"hq.example.com\", \"new.example.com\"]", true},
        {"[\"new.example.com\", \"hq.example.com\"]", true},
        {"\"new.example.com\"", false},
        {"\"*.example.com\"", false},
    };
    for (const Case& c : cases) {
        Routed routed;
        routed.reload(c.names);
        const std::string further = bind("hq.example.com\\alice");
        EXPECT_EQ(routed.from_client(further), c.passes) << c.names;
        EXPECT_EQ(routed.at_target(), c.passes ? further : "") << c.names;
        EXPECT_EQ(routed.refused(Reason::service_unknown), c.passes ? 0U : 1U) << c.names;
    }
}
