#include "wire/ldap/bind_name.hpp"

#include <gtest/gtest.h>

#include <string>

using namespace sallyport::ldap;

namespace {

std::string say(std::string_view name) {
    constexpr std::string_view forms[] = {"none", "domain_user", "dn", "upn"};
    const BindDomain found = bind_domain(name);
    if (found.form == NameForm::none) return "! " + std::string(text(found.error)) + found.domain;
    return std::string(forms[static_cast<std::size_t>(found.form)]) + " " + found.domain;
}

struct Case {
    std::string name;
    std::string answer;
};

template <std::size_t size>
void expect(const Case (&cases)[size]) {
    for (const Case& c : cases) EXPECT_EQ(say(c.name), c.answer) << c.name;
}

std::string repeated(std::string_view what, int times) {
    std::string out;
    while (times-- > 0) out += what;
    return out;
}

}  // namespace

TEST(BindName, HasADomainBeforeItsFirstBackslash) {
    expect({
        {R"(hq.example.com\ldap-guest)", "domain_user hq.example.com"},
        {R"(HQ\Administrator)", "domain_user hq"},
        {R"(hq.example.com.\guest)", "domain_user hq.example.com"},
        {R"(hq.example.com\a\b)", "domain_user hq.example.com"},
        {R"(hq.example.com\cn=x,dc=other)", "domain_user hq.example.com"},
        {R"(hq.example.com\user@other.example)", "domain_user hq.example.com"},
        {R"(under_score-1.example\u)", "domain_user under_score-1.example"},
        {R"(\guest)", "! a domain that is no host name"},
        {R"(hq.example.com\)", "! a domain without a user"},
        {R"(hq..example\u)", "! a domain that is no host name"},
        {R"(.\u)", "! a domain that is no host name"},
        {R"(.hq\u)", "! a domain that is no host name"},
        {R"(hq..\u)", "! a domain that is no host name"},
        {R"(-hq\u)", "! a domain that is no host name"},
        {R"(hq-\u)", "! a domain that is no host name"},
        {R"(hq example\u)", "! a domain that is no host name"},
        {R"(user@hq\u)", "! a domain that is no host name"},
        {R"(*.example\u)", "! a domain that is no host name"},
        {R"(../etc\u)", "! a domain that is no host name"},
        {"h\xC3\xB6.example\\u", "! a domain that is no host name"},
        {std::string("hq\0.example\\u", 13), "! a domain that is no host name"},
        {std::string(63, 'a') + R"(.b\u)", "domain_user " + std::string(63, 'a') + ".b"},
        {std::string(64, 'a') + R"(.b\u)", "! a domain that is no host name"},
        {repeated("a.", 126) + R"(b\u)", "domain_user " + repeated("a.", 126) + "b"},
        {repeated("a.", 126) + R"(bc\u)", "! a domain that is no host name"},
    });
}

TEST(BindName, HasADomainBehindItsLastAtSign) {
    expect({
        {"guest@HQ.example.com", "upn hq.example.com"},
        {"a@b@hq.example.com", "upn hq.example.com"},
        {"guest@hq", "upn hq"},
        {"@hq.example.com", "! a domain without a user"},
        {"guest@", "! a domain that is no host name"},
        {"guest@hq.example.com:389", "! a domain that is no host name"},
    });
}

TEST(BindName, MayHaveNoDomain) {
    expect({
        {"", "! no name"},
        {"ldap-guest", "! a name without a domain"},
        {"hq.example.com", "! a name without a domain"},
        {" ", "! a name without a domain"},
        {"cn=ldap-guest", "! a distinguished name without DC parts"},
        {"CN=guest,O=Example,C=DE", "! a distinguished name without DC parts"},
        {"user=x@hq.example.com", "! a distinguished name without DC parts"},
    });
}

TEST(BindName, JoinsTheDcPartsOfADn) {
    expect({
        {"cn=guest,dc=hq,dc=example,dc=com", "dn hq.example.com"},
        {"CN=Guest,CN=Users,DC=HQ,DC=Example,DC=Com", "dn hq.example.com"},
        {"dc=com", "dn com"},
        {"cn=x,DomainComponent=hq,dc=example", "dn hq.example"},
        {"0.9.2342.19200300.100.1.25=hq,OID.0.9.2342.19200300.100.1.25=example,oid.0.9.2342.19200300.100.1.25=com",
         "dn hq.example.com"},
        {"0.9.2342.19200300.100.1.250=hq,dc=example", "dn example"},
        {"dc=hq,ou=between,dc=example", "dn hq.example"},
        {"cn=x+dc=hq,dc=example", "dn hq.example"},
        {"dc=hq+cn=x,dc=example+ou=y", "dn hq.example"},
        {"cn=a+sn=b+uid=c,dc=hq", "dn hq"},
        {"cn = guest , dc = hq , dc = example", "dn hq.example"},
        {"  cn=guest,dc=hq  ", "dn hq"},
        {"cn=guest ; dc=hq;dc=example", "dn hq.example"},
        {"cn=a + sn=b , dc=hq", "dn hq"},
        {"cn=,dc=hq", "dn hq"},
        {"cn=a=b,dc=hq", "dn hq"},
        {"cn=a#b\xC3\xA4,dc=hq", "dn hq"},
    });
}

TEST(BindName, UndoesTheEscapesOfADn) {
    expect({
        {R"(cn=Smith\, John,dc=hq)", "dn hq"},
        {R"(cn=Smith\2C dc=evil,dc=hq)", "dn hq"},
        {R"(cn=a\,dc=evil,dc=hq)", "dn hq"},
        {R"(cn=a\\,dc=hq)", "dn hq"},
        {R"(cn=a\\\,dc=evil,dc=hq)", "dn hq"},
        {R"(cn="a,dc=evil",dc=hq)", "dn hq"},
        {R"(cn="a\",dc=evil",dc=hq)", "dn hq"},
        {R"(cn="a" ,dc="hq")", "dn hq"},
        {R"(cn=\ a\ ,dc=hq)", "dn hq"},
        {R"(cn=\#a\"\+\;\<\>\=,dc=hq)", "dn hq"},
        {R"(dc=\68\71,dc=ex\61mple)", "dn hq.example"},
        {R"(dc=\48Q)", "dn hq"},
        {"dc=#16026871,dc=#0C076578616D706C65", "dn hq.example"},
        {"dc=#04026871 ,dc=#1302657A", "dn hq.ez"},
        {"dc=#14840000000268 71", "! a malformed distinguished name"},
        {"dc=#14840000000268"
         "71",
         "dn hq"},
        {"cn=#0403616263,dc=hq", "dn hq"},
    });
}

TEST(BindName, RefusesDcPartsThatAreNoLabels) {
    expect({
        {"dc=hq.example.com", "! a domain that is no host name"},
        {"dc=,dc=com", "! a domain that is no host name"},
        {R"(dc=hq\2Eexample)", "! a domain that is no host name"},
        {R"(dc=\00hq)", "! a domain that is no host name"},
        {R"(dc=hq\ ,dc=com)", "! a domain that is no host name"},
        {R"(dc=h q)", "! a domain that is no host name"},
        {"dc=-hq", "! a domain that is no host name"},
        {"dc=" + std::string(63, 'a'), "dn " + std::string(63, 'a')},
        {"dc=" + std::string(64, 'a'), "! a domain that is no host name"},
        {"dc=" + std::string(40000, 'a'), "! a domain that is no host name"},
        {"dc=#" + repeated("61", 40000), "! a domain that is no host name"},
        {"dc=#163F" + repeated("61", 63), "dn " + std::string(63, 'a')},
        {"dc=#16840000003F" + repeated("61", 63), "dn " + std::string(63, 'a')},
        {"dc=#1640" + repeated("61", 64), "! a domain that is no host name"},
        {"dc=#1E0400680071", "! a domain that is no host name"},
        {"dc=#0201 05", "! a malformed distinguished name"},
        {"dc=#020105", "! a domain that is no host name"},
        {"dc=#1603687", "! a malformed distinguished name"},
        {"dc=#16036871", "! a domain that is no host name"},
        {"dc=#1602687100", "! a domain that is no host name"},
        {"dc=#36041602 6871", "! a malformed distinguished name"},
        {"dc=#360416026871", "! a domain that is no host name"},
        {"dc=#1680687100"
         "00",
         "! a domain that is no host name"},
        {repeated("dc=a,", 126) + "dc=b", "dn " + repeated("a.", 126) + "b"},
        {repeated("dc=a,", 127) + "dc=b", "! a domain that is no host name"},
        {"dc=a+dc=b,dc=com", "! a distinguished name with two DC parts in one place"},
        {"dc=a+cn=x+dc=b", "! a distinguished name with two DC parts in one place"},
    });
}

TEST(BindName, RefusesAMalformedDn) {
    const Case cases[] = {
        {"=", ""},
        {"=hq", ""},
        {"dc=hq,", ""},
        {",dc=hq", ""},
        {"dc=hq,,dc=com", ""},
        {"dc=hq+", ""},
        {"dc=hq,cn", ""},
        {"dc=hq,cn ", ""},
        {"dc=hq,c n=x", ""},
        {"1dc=hq", ""},
        {"d_c=hq", ""},
        {"25=hq", ""},
        {"0.09=x,dc=hq", ""},
        {"0..9=x,dc=hq", ""},
        {"0.9.=x,dc=hq", ""},
        {"OID.dc=hq", ""},
        {R"(cn=a\,dc=hq\)", ""},
        {R"(cn=a\zz,dc=hq)", ""},
        {R"(cn=a\4,dc=hq)", ""},
        {R"(cn="a,dc=hq)", ""},
        {R"(cn="a"b,dc=hq)", ""},
        {R"(cn=a"b,dc=hq)", ""},
        {"cn=<a>,dc=hq", ""},
        {"cn=#,dc=hq", ""},
        {"cn=#zz,dc=hq", ""},
        {"cn=#4 1,dc=hq", ""},
        {std::string("cn=a\0,dc=hq", 11), ""},
        {std::string("cn=\"a\0\",dc=hq", 13), ""},
        {"dc=not a label,cn", ""},
    };
    for (const Case& c : cases) EXPECT_EQ(say(c.name), "! a malformed distinguished name") << c.name;
}

TEST(BindName, IsNoDnBecauseOfAnEqualsSignBehindTheBackslash) {
    // One name, two readings: the mark that comes first decides.
    EXPECT_EQ(say(R"(hq\cn=x,dc=other)"), "domain_user hq");
    EXPECT_EQ(say(R"(cn=hq\,x,dc=other)"), "dn other");
}
