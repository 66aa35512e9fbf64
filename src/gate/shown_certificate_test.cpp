#include "gate/shown_certificate.hpp"

#include <gtest/gtest.h>

using namespace sallyport;
using namespace sallyport::gate;

TEST(ShownCertificate, IsForTheWholeNameAlone) {
    struct Case {
        const char* name;
        const char* user;
        const char* host;
        bool fits;
    };
    const Case cases[] = {
        {"alice", "alice", "example.com", true},
        {"alice", "alice", "", true},
        {"alice@example.com", "alice", "example.com", true},
        {"alice@EXAMPLE.com", "alice", "example.com", true},
        {"sip:alice@example.com", "alice", "example.com", true},
        {"sips:alice@example.com", "alice", "example.com", true},
        {"SIP:alice", "alice", "example.com", true},
        {"IP222-09-00-33-30-0a-31", "IP222-09-00-33-30-0a-31", "hq.example.com", true},
        {"Alice", "alice", "example.com", false},
        {"alice@example.com", "alice", "example.net", false},
        {"alice@example.com", "alice", "", false},
        {"alic", "alice", "example.com", false},
        {"alice2", "alice", "example.com", false},
        {"alice@", "alice", "example.com", false},
        {"@example.com", "", "example.com", false},
        {"example.com", "alice", "example.com", false},
        {"*", "alice", "example.com", false},
        {"*@example.com", "alice", "example.com", false},
        {"*.example.com", "alice", "example.com", false},
        {"http:alice", "alice", "example.com", false},
        {"", "", "", false},
    };
    for (const Case& c : cases) {
        const ShownCertificate shown(crypto::Verdict::trusted, {"another", c.name});
        EXPECT_EQ(shown.is_for(c.user, c.host), c.fits) << c.name << " for " << c.user << '@' << c.host;
    }
    EXPECT_FALSE(ShownCertificate(crypto::Verdict::trusted, {}).is_for("alice", "example.com"));
}

TEST(ShownCertificate, ExpiresWhileItsConnectionLives) {
    io::PeerCertificate shown;
    shown.verdict = crypto::Verdict::trusted;
    shown.not_after = WallTime{std::chrono::seconds(100)};
    const ShownCertificate certificate(shown);
    EXPECT_EQ(certificate.verdict(WallTime{std::chrono::seconds(100)}), crypto::Verdict::trusted);
    EXPECT_EQ(certificate.verdict(WallTime{std::chrono::seconds(101)}), crypto::Verdict::expired);
}
