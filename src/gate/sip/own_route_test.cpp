// What the gateway puts into the routes of dialogs, and takes out again.
#include "gate/sip/own_route.hpp"

#include <gtest/gtest.h>

#include <string>

using namespace sallyport;
using namespace sallyport::gate::sip;
using sallyport::sip::Message;
using Towards = OwnRoute::Towards;

namespace {

const Hop outer{.address = *SocketAddress::parse("203.0.113.10:5061"), .tls = true};
const Hop inner{.address = *SocketAddress::parse("10.0.0.2:40123"), .tls = false};
constexpr std::string_view outer_uri = "<sip:hq.example.com@203.0.113.10:5061;transport=tls;lr>";
constexpr std::string_view inner_uri = "<sip:10.0.0.2:40123;transport=tcp;lr>";

Message parsed(std::string_view head) {
    Message message;
    EXPECT_TRUE(parse_message(as_bytes(head), message).complete()) << head;
    return message;
}

std::string rewritten(const std::string& head, Towards towards = Towards::target) {
    const OwnRoute route(outer, inner, "hq.example.com");
    return route.rewrite(parsed(head), as_bytes(head), towards);
}

std::string request(std::string_view method, std::string_view fields) {
    return std::string(method) + " sip:bob@b SIP/2.0\r\n" + std::string(fields) + "\r\n";
}

}  // namespace

TEST(OwnRoute, StandsInDialogsWithBothSidesTheNextOneOnTop) {
    const std::string inward =
        "Record-Route: " + std::string(inner_uri) + "\r\nRecord-Route: " + std::string(outer_uri) + "\r\n";
    const std::string outward =
        "Record-Route: " + std::string(outer_uri) + "\r\nRecord-Route: " + std::string(inner_uri) + "\r\n";
    for (const char* method : {"INVITE", "SUBSCRIBE", "REFER"}) {
        EXPECT_EQ(rewritten(request(method, "From: x\r\n")), request(method, inward + "From: x\r\n"));
        EXPECT_EQ(rewritten(request(method, "From: x\r\n"), Towards::client), request(method, outward + "From: x\r\n"));
    }
    for (const char* method : {"OPTIONS", "BYE", "ACK", "MESSAGE", "invite"})
        EXPECT_EQ(rewritten(request(method, "From: x\r\n")), request(method, "From: x\r\n"));
}

TEST(OwnRoute, IsThePathOfARegistration) {
    EXPECT_EQ(rewritten(request("REGISTER", "From: x\r\n")),
              request("REGISTER", "Path: " + std::string(inner_uri) + "\r\nFrom: x\r\n"));
    EXPECT_EQ(rewritten(request("REGISTER", "From: x\r\n"), Towards::client), request("REGISTER", "From: x\r\n"));
}

TEST(OwnRoute, TakesItsEntriesOutAtTheFrontAlone) {
    const std::string ours(outer_uri);
    const std::string within(inner_uri);
    const std::string other = "<sip:192.0.2.9;lr>";
    struct Case {
        std::string fields;
        std::string left;
    };
    const Case cases[] = {
        {"Route: " + ours + "\r\nRoute: " + within + "\r\nFrom: x\r\n", "From: x\r\n"},
        {"Route: " + ours + "," + within + "\r\nFrom: x\r\n", "From: x\r\n"},
        {"Route: " + ours + ", " + other + "\r\nFrom: x\r\n", "Route: " + other + "\r\nFrom: x\r\n"},
        {"Route: " + ours + " ,\r\n " + within + " , " + other + "\r\nFrom: x\r\n",
         "Route: " + other + "\r\nFrom: x\r\n"},
        {"From: x\r\nRoute: " + ours + "\r\nRoute: " + other + "\r\n", "From: x\r\nRoute: " + other + "\r\n"},
        {"Route: " + other + "\r\nRoute: " + ours + "\r\n", "Route: " + other + "\r\nRoute: " + ours + "\r\n"},
        {"Route: " + other + ", " + ours + "\r\n", "Route: " + other + ", " + ours + "\r\n"},
        {"Route: <sip:203.0.113.10:5061>\r\n", ""},
        {"Route: <sip:203.0.113.10;lr>\r\n", ""},  // a port that goes without saying
        {"Route: <sip:203.0.113.10:5062;lr>\r\n", "Route: <sip:203.0.113.10:5062;lr>\r\n"},
        {"Route: nonsense\r\n", "Route: nonsense\r\n"},
        {"Route:\r\n", "Route:\r\n"},
    };
    for (const Case& c : cases) {
        for (const Towards towards : {Towards::target, Towards::client})
            EXPECT_EQ(rewritten(request("BYE", c.fields), towards), request("BYE", c.left)) << c.fields;
    }
}

TEST(OwnRoute, LeadsAClientBackToItsDomain) {
    const std::string dialog = "To: <sip:b@c>;tag=1\r\n";
    const auto domain = [](const std::string& fields) -> std::string {
        const std::string head = request("BYE", fields);
        const auto found = domain_in_route(parsed(head), outer);
        return found ? std::string(found->text()) : "";
    };
    EXPECT_EQ(domain("Route: " + std::string(outer_uri) + "\r\n" + dialog), "hq.example.com");
    EXPECT_EQ(domain("Route: " + std::string(outer_uri) + ",<sip:x>\r\n" + dialog), "hq.example.com");
    EXPECT_EQ(domain("Route: " + std::string(outer_uri) + "\r\nTo: <sip:b@c>\r\n"), "");  // no dialog yet
    EXPECT_EQ(domain("Route: <sip:hq.example.com@192.0.2.9;lr>\r\n" + dialog), "");
    EXPECT_EQ(domain("Route: <sip:203.0.113.10:5061;lr>\r\n" + dialog), "");
    EXPECT_EQ(domain(dialog), "");
}

TEST(OwnRoute, IsThePublicAddressBehindANat) {
    const config::Located<config::NatMapping> map[] = {
        {{*IpAddress::parse("203.0.113.10"), *IpAddress::parse("172.16.0.5")}, {}}};
    EXPECT_EQ(outer_hop(*SocketAddress::parse("172.16.0.5:5061"), true, map).uri("a"),
              "<sip:a@203.0.113.10:5061;transport=tls;lr>");
    EXPECT_EQ(outer_hop(*SocketAddress::parse("172.16.0.6:5060"), false, map).uri(),
              "<sip:172.16.0.6:5060;transport=tcp;lr>");
    EXPECT_EQ(outer_hop(*SocketAddress::parse("[2001:db8::5]:5060"), false, map).uri(),
              "<sip:[2001:db8::5]:5060;transport=tcp;lr>");
}
