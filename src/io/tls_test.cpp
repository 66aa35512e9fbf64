#include "io/tls.hpp"

#include "io/testing.hpp"
#include "io/testing_certificates.hpp"
#include "io/tls_testing.hpp"

#include <gmock/gmock.h>
#include <openssl/ssl.h>

#include <cctype>
#include <string>
#include <vector>

using namespace sallyport;
using namespace sallyport::io;
using namespace std::chrono_literals;
using io::testing::Authority;
using io::testing::PeerContext;
using io::testing::shake_hands;
using io::testing::StreamPair;
using io::testing::VirtualLoop;
using ::testing::StartsWith;

namespace {

const Authority& authority() {
    static const Authority made("Test CA");
    return made;
}

std::shared_ptr<TlsServer> server_for(std::vector<crypto::Credential> credentials, TlsServer::Options options = {}) {
    return *TlsServer::create(credentials, std::move(options));
}

}  // namespace

TEST(Tls, SniChoosesTheCertificateAndAlpnHttp11) {
    const auto server = server_for({authority().issue({.dns_names = {"default.example"}}),
                                    authority().issue({.dns_names = {"a.example.com", "b.example.com"}}),
                                    authority().issue({.dns_names = {"*.example.com"}})});
    struct Case {
        const char* sni;
        const char* alpn;  // as on the wire: a length before each name
        const char* certificate;
        const char* agreed;
    };
    const Case cases[] = {
        {"", "", "default.example", ""},
        {"default.example", "\x08http/1.1", "default.example", "http/1.1"},
        {"a.example.com", "\x02h2\x08http/1.1", "a.example.com", "http/1.1"},
        {"B.Example.COM", "\x02h2", "a.example.com", ""},
        {"c.example.com", "", "*.example.com", ""},
        {"c.d.example.com", "", "default.example", ""},  // a wildcard is one label (RFC 6125 section 6.4.3)
        {"example.com", "", "default.example", ""},
        {"elsewhere.example", "", "default.example", ""},
    };
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        const PeerContext peer({.version = version});
        for (const Case& c : cases) {
            SCOPED_TRACE(std::string(c.sni) + " by " + std::to_string(version));
            VirtualLoop loop;
            loop.run([](Loop& on, const TlsServer& tls, const PeerContext& by, int number,
                        const Case& expected) -> Task<void> {
                Cancellation cancellation;
                StreamPair pair(on, cancellation);
                SSL* client = by.attach(pair.near, {.name = expected.sni, .alpn = expected.alpn});
                pair.far.attach(tls.accept());
                const auto [mine, theirs] = co_await shake_hands(pair);
                EXPECT_EQ(mine.failure, TlsFailure::none) << mine.detail;
                EXPECT_EQ(theirs.failure, TlsFailure::none) << theirs.detail;
                EXPECT_EQ(SSL_version(client), number);
                EXPECT_EQ(io::testing::peer_name(client), expected.certificate);
                EXPECT_EQ(io::testing::agreed_protocol(client), expected.agreed);
                std::string lower = expected.sni;
                for (char& ch : lower) ch = static_cast<char>(std::tolower(ch));
                EXPECT_EQ(pair.far.tls()->server_name(), lower);
            }(*loop, *server, peer, version, c));
        }
    }
}

TEST(Tls, AlpnAgreesToWhatThePortIsForBestFirst) {
    static constexpr std::string_view media[] = {"stun.turn", "http/1.1"};
    const auto server = server_for({authority().issue({.dns_names = {"a.example.com"}})},
                                   {.protocols = [](int port_kind) -> std::span<const std::string_view> {
                                       return std::span(media).first(port_kind == 7 ? 2 : 0);
                                   }});
    struct Case {
        int port_kind;
        const char* offered;
        const char* agreed;
    };
    const Case cases[] = {{7, "\x09stun.turn", "stun.turn"},
                          {7, "\x08http/1.1\x09stun.turn", "stun.turn"},
                          {7, "\x02h2\x08http/1.1", "http/1.1"},
                          {7, "\x02h2", ""},
                          {0, "\x08http/1.1\x09stun.turn", ""}};
    const PeerContext peer({});
    for (const Case& c : cases) {
        SCOPED_TRACE(c.offered);
        VirtualLoop loop;
        loop.run([](Loop& on, const TlsServer& tls, const PeerContext& by, const Case& expected) -> Task<void> {
            Cancellation cancellation;
            StreamPair pair(on, cancellation);
            SSL* client = by.attach(pair.near, {.name = "a.example.com", .alpn = expected.offered});
            pair.far.attach(tls.accept(expected.port_kind));
            const auto [mine, theirs] = co_await shake_hands(pair);
            EXPECT_EQ(mine.failure, TlsFailure::none) << mine.detail;
            EXPECT_EQ(theirs.failure, TlsFailure::none) << theirs.detail;
            EXPECT_EQ(io::testing::agreed_protocol(client), expected.agreed);
            EXPECT_EQ(pair.far.tls()->agreed_protocol(), expected.agreed);
        }(*loop, *server, peer, c));
    }
}

TEST(Tls, AClientVerifiesTheServersCertificate) {
    const Authority stranger("Stranger CA");
    struct Case {
        const char* name;
        io::testing::Subject subject;
        const Authority* issuer;
        const char* asked_for;
        bool verify;
        TlsFailure failure;
        const char* detail;
    };
    const Case cases[] = {
        {"right", {.dns_names = {"a.example.com"}}, &authority(), "a.example.com", true, TlsFailure::none, ""},
        {"wildcard", {.dns_names = {"*.example.com"}}, &authority(), "a.example.com", true, TlsFailure::none, ""},
        {"wrong name",
         {.dns_names = {"a.example.com"}},
         &authority(),
         "b.example.com",
         true,
         TlsFailure::certificate,
         "hostname mismatch"},
        {"wildcard over two labels",
         {.dns_names = {"*.example.com"}},
         &authority(),
         "a.b.example.com",
         true,
         TlsFailure::certificate,
         "hostname mismatch"},
        {"untrusted",
         {.dns_names = {"a.example.com"}},
         &stranger,
         "a.example.com",
         true,
         TlsFailure::certificate,
         "unable to get local issuer certificate"},
        {"expired",
         {.dns_names = {"a.example.com"}, .begins = -7200s, .ends = -3600s},
         &authority(),
         "a.example.com",
         true,
         TlsFailure::certificate,
         "certificate has expired"},
        {"not yet",
         {.dns_names = {"a.example.com"}, .begins = 3600s},
         &authority(),
         "a.example.com",
         true,
         TlsFailure::certificate,
         "certificate is not yet valid"},
        {"address",
         {.ip_names = {*IpAddress::parse("192.0.2.1")}},
         &authority(),
         "192.0.2.1",
         true,
         TlsFailure::none,
         ""},
        {"address of IPv6",
         {.ip_names = {*IpAddress::parse("2001:db8::1")}},
         &authority(),
         "2001:db8::1",
         true,
         TlsFailure::none,
         ""},
        {"wrong address",
         {.ip_names = {*IpAddress::parse("192.0.2.1")}},
         &authority(),
         "192.0.2.2",
         true,
         TlsFailure::certificate,
         "IP address mismatch"},
        {"an address is no name",
         {.dns_names = {"192.0.2.1"}},
         &authority(),
         "192.0.2.1",
         true,
         TlsFailure::certificate,
         "IP address mismatch"},
        {"nobody asks",
         {.dns_names = {"a.example.com"}, .begins = -7200s, .ends = -3600s},
         &stranger,
         "b.example.com",
         false,
         TlsFailure::none,
         ""},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        const auto server = server_for({c.issuer->issue(c.subject)});
        const auto client = *TlsClient::create({.ca_pems = {authority().pem()}, .verify = c.verify});
        VirtualLoop loop;
        loop.run([](Loop& on, const TlsServer& far, const TlsClient& near, const Case& expected) -> Task<void> {
            Cancellation cancellation;
            StreamPair pair(on, cancellation);
            pair.near.attach(near.connect(expected.asked_for));
            pair.far.attach(far.accept());
            const auto [mine, theirs] = co_await shake_hands(pair);
            EXPECT_EQ(mine.failure, expected.failure);
            EXPECT_EQ(mine.detail, expected.detail);
            const bool sent_name = std::string(expected.asked_for).find(".example") != std::string::npos;
            EXPECT_EQ(pair.far.tls()->server_name(), sent_name ? expected.asked_for : "");  // RFC 6066: no addresses
        }(*loop, *server, *client, c));
    }
}

TEST(Tls, AnUnusableCredentialIsAnErrorThatNamesIt) {
    const auto good = authority().issue({.dns_names = {"a.example.com"}});
    const auto other = authority().issue({.dns_names = {"b.example.com"}});
    const auto with = [&good](std::string chain, std::string key) {
        auto changed = good;
        changed.chain_pem = std::move(chain);
        changed.key_pem = std::move(key);
        return changed;
    };
    struct Case {
        crypto::Credential credential;
        const char* message;
    };
    const Case cases[] = {
        {with("", good.key_pem), "certificate 'a.example.com': no certificate in PEM form"},
        {with("no PEM at all", good.key_pem), "certificate 'a.example.com': no certificate in PEM form"},
        {with(good.chain_pem, other.key_pem), "certificate 'a.example.com' can't be used: key values mismatch"},
        {with(good.chain_pem, ""), "certificate 'a.example.com' can't be used: "},
    };
    for (const Case& c : cases) {
        const auto server = TlsServer::create(std::vector{c.credential}, {});
        ASSERT_FALSE(server.has_value());
        EXPECT_THAT(server.error().message, StartsWith(c.message));  // OpenSSL's words follow
    }
    EXPECT_EQ(TlsServer::create({}, {}).error().message, "a TLS listener needs a certificate");
    EXPECT_TRUE(TlsServer::create(std::vector{with(good.chain_pem + authority().pem(), good.key_pem)}, {}).has_value());
}
