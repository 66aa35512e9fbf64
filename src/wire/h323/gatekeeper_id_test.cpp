#include "wire/h323/gatekeeper_id.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sallyport::h323 {
namespace {

std::string say(std::string_view text) {
    const auto id = read_gatekeeper_id(text);
    if (!id) return "! " + std::string(id.error());
    std::string out = id->name;
    for (const auto& part : id->parts) out += " | " + part;
    return out;
}

struct Case {
    std::string text;
    std::string answer;
};

TEST(GatekeeperId, NamesAServiceAndWhatItMayStandFor) {
    const Case cases[] = {
        {"innovaphone.com", "innovaphone.com"},
        {"innovaphone.com/branch", "innovaphone.com/branch"},
        {"hq@innovaphone.com/branch", "innovaphone.com/branch"},
        {"hq@innovaphone.com", "innovaphone.com"},
        {"innovaphone.com/branch-b", "innovaphone.com/branch-b"},
        {"innovaphone.com/hq", "innovaphone.com/hq"},
        {"innovaphone.com/hq-standby", "innovaphone.com/hq-standby"},
        {"innovaphone.com/hq:hq-standby",
         "innovaphone.com/hq:hq-standby | innovaphone.com/hq | innovaphone.com/hq-standby"},
        {"room1@innovaphone.com/hq:hq-standby",
         "innovaphone.com/hq:hq-standby | innovaphone.com/hq | innovaphone.com/hq-standby"},
        {"Innovaphone.COM/Branch", "innovaphone.com/branch"},
        {"branch.innovaphone.com", "branch.innovaphone.com"},
        {"@innovaphone.com", "innovaphone.com"},
        {"3com", "3com"},
        {"example.com/m\xC3\xBCnchen", "example.com/m\xC3\xBCnchen"},
        {"example.com/a/b", "example.com/a/b"},
        {" example.com ", " example.com "},
        {std::string(128, 'a'), std::string(128, 'a')},
    };
    for (const Case& c : cases) EXPECT_EQ(say(c.text), c.answer) << c.text;
}

TEST(GatekeeperId, IsRefusedWhereItNamesNothing) {
    const Case cases[] = {
        {"", "! an empty gatekeeper id"},
        {"hq@", "! a gatekeeper id without a domain"},
        {"/branch", "! a gatekeeper id without a domain"},
        {"hq@/branch", "! a gatekeeper id without a domain"},
        {"innovaphone.com/", "! a gatekeeper id without a location behind its \"/\""},
        {"innovaphone.com/:hq", "! a gatekeeper id without a location behind its \"/\""},
        {"innovaphone.com/hq:", "! a gatekeeper id with a \":\" that splits no two locations"},
        {"innovaphone.com/a:b:c", "! a gatekeeper id with a \":\" that splits no two locations"},
        {"a@b@c", "! a gatekeeper id with more than one \"@\", or one behind its \"/\""},
        {"b/x@y", "! a gatekeeper id with more than one \"@\", or one behind its \"/\""},
        {std::string("innovaphone.com\0", 16), "! a gatekeeper id with a control character"},
        {"innovaphone\n.com", "! a gatekeeper id with a control character"},
        {"innovaphone.com\x7F", "! a gatekeeper id with a control character"},
        {std::string(129, 'a'), "! a gatekeeper id of more than 128 characters"},
    };
    for (const Case& c : cases) EXPECT_EQ(say(c.text), c.answer) << c.text;
}

TEST(AliasDomain, IsFoundInNamesThatHaveOne) {
    struct AliasCase {
        AliasKind kind;
        std::string text;
        std::string domain;  // empty: none
    };
    using enum AliasKind;
    const AliasCase cases[] = {
        {url_id, "bob@example.com", "example.com"},
        {url_id, "h323:bob@example.com", "example.com"},
        {url_id, "H323S:bob@example.com", "example.com"},
        {url_id, "h323:bob@example.com:1720;type=gk", "example.com"},
        {url_id, "h323:@example.com", "example.com"},
        {url_id, "h323:example.com", "example.com"},
        {url_id, "h323:example.com:1720;type=gk@x", "x"},
        {url_id, "bob@example.com;x=a@b", "example.com"},
        {url_id, "sip:bob@EXAMPLE.com.", "example.com"},
        {url_id, "mailto:bob@example.com?subject=x", "example.com"},
        {url_id, "bob", ""},
        {url_id, "h323:bob", ""},
        {url_id, "example.com", ""},
        {url_id, "bob@", ""},
        {url_id, "bob@exa mple.com", ""},
        {url_id, "bob@10.23.0.1", "10.23.0.1"},
        {url_id, "bob@[2001:DB8::1]:1720", "[2001:db8::1]"},
        {url_id, "bob@[2001:db8::1", ""},
        {h323_id, "bob@example.com", "example.com"},
        {h323_id, "a@b@example.com", "example.com"},
        {h323_id, "bob", ""},
        {h323_id, "J\xC3\xB6rg M\xC3\xBCller", ""},
        {email_id, "bob@example.com", "example.com"},
        {dialled_digits, "4711", ""},
        {transport_id, "", ""},
    };
    for (const AliasCase& c : cases) EXPECT_EQ(domain_of({c.kind, c.text}).value_or(""), c.domain) << c.text;
}

TEST(AliasDomain, IsThatOfTheFirstAliasThatHasOne) {
    EXPECT_EQ(domain_of({{AliasKind::dialled_digits, "4711"},
                         {AliasKind::url_id, "bob@example.com"},
                         {AliasKind::url_id, "bob@example.net"}}),
              "example.com");
    EXPECT_FALSE(domain_of(std::vector<Alias>{}));
}

}  // namespace
}  // namespace sallyport::h323
