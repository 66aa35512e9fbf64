// What a request asks for, and whether a certificate is for whoever it claims to be.
#include "gate/sip/asked.hpp"

#include <gtest/gtest.h>

#include <string>

using namespace sallyport;
using namespace sallyport::gate;
using namespace sallyport::gate::sip;

namespace {

struct Read {
    std::string bytes;
    sallyport::sip::Message message;

    Read(std::string_view method, std::string_view from, std::string_view to = "<sip:a@b>",
         std::string_view uri = "sip:example.com")
        : bytes(std::string(method) + " " + std::string(uri) + " SIP/2.0\r\nf: " + std::string(from) +
                "\r\nt: " + std::string(to) + "\r\n\r\n") {
        EXPECT_TRUE(parse_message(as_bytes(bytes), message).complete()) << bytes;
    }
};

}  // namespace

TEST(SipAsked, IsTheDomainOfFrom) {
    struct Case {
        const char* from;
        const char* domain;
        const char* said;
        bool malformed;
    };
    const Case cases[] = {
        {"<sip:alice@HQ.example.com:5070;transport=tls>;tag=1", "hq.example.com", "hq.example.com", false},
        {"\"a <sip:x@evil>\" <sip:alice@hq.example.com>", "hq.example.com", "hq.example.com", false},
        {"sip:hq.example.com", "hq.example.com", "hq.example.com", false},
        {"<tel:+4319>", "", "<tel:+4319>", false},
        {"Anonymous <sip:anonymous@anonymous.invalid>", "", "Anonymous <sip:anonymous@anonymous.invalid>", false},
        {"<sip:a@b@c>", "", "<sip:a@b@c>", true},
    };
    for (const Case& c : cases) {
        const Read read("OPTIONS", c.from);
        const Asked asked = read_asked(read.message);
        EXPECT_EQ(asked.domain.text(), c.domain) << c.from;
        EXPECT_EQ(asked.said(), c.said) << c.from;
        EXPECT_EQ(asked.malformed(), c.malformed) << c.from;
        EXPECT_EQ(asked.why_none().empty(), *c.domain != 0) << c.from;
    }
}

TEST(SipAsked, AsksForTlsOnEachHopBySips) {
    EXPECT_FALSE(read_asked(Read("INVITE", "<sip:a@b>").message).secure);
    EXPECT_TRUE(read_asked(Read("INVITE", "<sips:a@b>").message).secure);
    EXPECT_TRUE(read_asked(Read("INVITE", "<sip:a@b>", "<sip:a@b>", "SIPS:c@d").message).secure);
    EXPECT_TRUE(read_asked(Read("INVITE", "<tel:1>", "<sip:a@b>", "sips:c@d").message).secure);
}

TEST(SipAsked, ACertificateIsForWhoeverIsRegistered) {
    struct Case {
        const char* method;
        const char* from;
        const char* to;
        bool fits;
    };
    const Case cases[] = {
        {"REGISTER", "<sip:alice@b>", "<sip:alice@b>", true}, {"REGISTER", "<sip:alice@b>", "<sip:bob@b>", false},
        {"REGISTER", "<sip:bob@b>", "<sip:alice@b>", false},  {"REGISTER", "<sip:b>", "<sip:b>", false},
        {"INVITE", "<sip:alice@b>", "<sip:bob@b>", true},     {"INVITE", "<sip:bob@b>", "<sip:alice@b>", false},
        {"INVITE", "<sips:alice@B>", "<sip:bob@b>", true},    {"INVITE", "<tel:alice>", "<sip:bob@b>", false},
    };
    const ShownCertificate shown(crypto::Verdict::trusted, {"alice@b"});
    for (const Case& c : cases) {
        const Read read(c.method, c.from, c.to);
        EXPECT_EQ(certificate_fits(shown, read.message), c.fits) << c.method << c.from << c.to;
    }
}
