// Client certificates: who is asked for one, what it is worth, and that no resumed session passes by the question.
#include "io/tls.hpp"
#include "io/tls_testing.hpp"

#include <gmock/gmock.h>
#include <openssl/ssl.h>

#include <functional>
#include <string>
#include <vector>

using namespace sallyport;
using namespace sallyport::io;
using namespace std::chrono_literals;
using namespace sallyport::io::testing;
using ::testing::ElementsAre;
using Verdict = PeerCertificate::Verdict;

namespace {

const Authority& authority() {
    static const Authority made("Test CA");
    return made;
}
const Authority& stranger() {
    static const Authority made("Stranger CA");
    return made;
}

using Question = std::function<bool(const ClientSaid&)>;

bool asks_for_secret(const ClientSaid& client) { return client.server_name.starts_with("secret"); }

TlsServer::Options asking(Question question = asks_for_secret, std::shared_ptr<const TicketKeys> keys = nullptr,
                          const Authority& trusted = authority()) {
    return {std::move(keys), {trusted.pem()}, std::move(question)};
}

std::shared_ptr<TlsServer> server_with(TlsServer::Options options) {
    static const auto own = authority().issue({.dns_names = {"*.example.com"}});
    return *TlsServer::create(std::vector{own}, std::move(options));
}

// What the server learned of a client that connected, and what the client was told.
struct Learned {
    bool resumed = false;
    PeerCertificate certificate;
    std::optional<std::string> der;
    std::vector<std::string> authorities;  // whose certificates were asked for
    int chain = 0;  // certificates that the client was sent
};

// Nothing when the peer showed none.
std::optional<std::string> shown_by(const TlsSession& session) {
    const std::string der = session.peer_certificate().der;
    return der.empty() ? std::nullopt : std::optional(der);
}

Task<void> connects_on(Loop& on, const TlsServer& tls, const PeerContext& by, const std::string& name, Learned& into) {
    Cancellation cancellation;
    StreamPair pair(on, cancellation);
    SSL* client = by.attach(pair.near, {.name = name, .resume = true});
    pair.far.attach(tls.accept());
    const auto [mine, theirs] = co_await shake_hands(pair);
    EXPECT_EQ(mine.failure, TlsFailure::none) << mine.detail;
    EXPECT_EQ(theirs.failure, TlsFailure::none) << theirs.detail;
    EXPECT_EQ(pair.far.write(as_bytes("x")), Io::ok);  // TLS 1.3 tickets are read with the first data
    std::byte room[10];
    const Got got = co_await pair.near.read_some(room, on.in(1s));
    EXPECT_EQ(got.bytes, 1U);
    const TlsSession& session = *pair.far.tls();
    EXPECT_EQ(session.resumed(), SSL_session_reused(client) == 1);
    into = {session.resumed(),
            session.peer_certificate(),
            shown_by(session),
            {},
            sk_X509_num(SSL_get_peer_cert_chain(client))};
    const STACK_OF(X509_NAME)* names = SSL_get0_peer_CA_list(client);
    for (int at = 0; names != nullptr && at < sk_X509_NAME_num(names); ++at) {
        char text[100] = "";
        X509_NAME_get_text_by_NID(sk_X509_NAME_value(names, at), NID_commonName, text, sizeof text);
        into.authorities.emplace_back(text);
    }
    pair.near.shutdown_write();
    pair.far.shutdown_write();
}

// One connection; a session of an earlier one is offered when the peer has one.
Learned connects(const TlsServer& server, const PeerContext& peer, const std::string& name) {
    Learned learned;
    VirtualLoop loop;
    loop.run(connects_on(*loop, server, peer, name, learned));
    return learned;
}

std::string der_of(const crypto::Credential& credential) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_mem_buf(credential.chain_pem.data(), -1), &BIO_free);
    const std::unique_ptr<X509, decltype(&X509_free)> leaf(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr),
                                                           &X509_free);
    std::string der(static_cast<std::size_t>(i2d_X509(leaf.get(), nullptr)), '\0');
    auto* out = reinterpret_cast<unsigned char*>(der.data());
    i2d_X509(leaf.get(), &out);
    return der;
}

}  // namespace

TEST(TlsClientCertificate, IsAskedForByTheNameInTheClientHello) {
    struct Case {
        const char* sni;
        const char* question;
        bool asked;
    };
    const Case cases[] = {
        {"secret.example.com", "secret.example.com", true},  {"SECRET.Example.com", "secret.example.com", true},
        {"secret.example.com.", "secret.example.com", true}, {"open.example.com", "open.example.com", false},
        {"secret.elsewhere", "secret.elsewhere", true},      {"", "", true},
    };
    const auto device = authority().issue({.dns_names = {"device.example"}});
    for (const int version : tls_versions) {
        for (const Case& c : cases) {
            SCOPED_TRACE(std::string(c.sni) + " by " + std::to_string(version));
            std::vector<std::string> questions;
            const auto server = server_with(asking([&](const ClientSaid& client) {
                questions.emplace_back(client.server_name);
                return client.server_name.empty() || asks_for_secret(client);
            }));
            const PeerContext peer({.version = version, .credential = &device});
            const Learned learned = connects(*server, peer, c.sni);
            EXPECT_EQ(learned.certificate.verdict, c.asked ? Verdict::trusted : Verdict::none);
            EXPECT_EQ(learned.der.has_value(), c.asked);
            EXPECT_THAT(questions, ElementsAre(c.question));
            EXPECT_EQ(learned.chain, 1) << "whom the server trusts is not shown along with its own certificate";
            EXPECT_EQ(learned.authorities, c.asked ? std::vector<std::string>{"Test CA"} : std::vector<std::string>{});
        }
    }
}

TEST(TlsClientCertificate, IsNeverAskedForWhereThereIsNoQuestion) {
    const auto device = authority().issue({.dns_names = {"device.example"}});
    for (const int version : tls_versions) {
        const PeerContext peer({.version = version, .credential = &device});
        EXPECT_EQ(connects(*server_with(asking(nullptr)), peer, "secret.example.com").der, std::nullopt);
    }
}

TEST(TlsClientCertificate, IsJudgedAndAlwaysLetPass) {
    struct Case {
        const char* name;
        const Authority* issuer;  // null: none is shown
        Subject subject;
        Verdict verdict;
        const char* detail;
    };
    const char* const unknown = "unable to get local issuer certificate";
    const Case cases[] = {
        {"none", nullptr, {}, Verdict::none, ""},
        {"trusted", &authority(), {.common_name = "device"}, Verdict::trusted, ""},
        {"for clients", &authority(), {.common_name = "device", .purpose = "clientAuth"}, Verdict::trusted, ""},
        {"for servers only",
         &authority(),
         {.common_name = "device", .purpose = "serverAuth"},
         Verdict::untrusted,
         "unsuitable certificate purpose"},
        {"for servers only and expired",
         &authority(),
         {.begins = -2h, .ends = -1h, .common_name = "device", .purpose = "serverAuth"},
         Verdict::untrusted,
         "unsuitable certificate purpose"},
        {"expired",
         &authority(),
         {.begins = -2h, .ends = -1h, .common_name = "device"},
         Verdict::expired,
         "certificate has expired"},
        {"not yet",
         &authority(),
         {.begins = 1h, .common_name = "device"},
         Verdict::expired,
         "certificate is not yet valid"},
        {"of a stranger", &stranger(), {.common_name = "device"}, Verdict::untrusted, unknown},
        {"of a stranger and expired",
         &stranger(),
         {.begins = -2h, .ends = -1h, .common_name = "device"},
         Verdict::untrusted,
         unknown},
    };
    const auto server = server_with(asking());
    for (const int version : tls_versions) {
        for (const Case& c : cases) {
            SCOPED_TRACE(std::string(c.name) + " by " + std::to_string(version));
            const auto shown = c.issuer == nullptr ? crypto::Credential{} : c.issuer->issue(c.subject);
            PeerContext peer({.version = version, .credential = c.issuer == nullptr ? nullptr : &shown});
            for (const bool resumed : {false, true}) {
                const Learned learned = connects(*server, peer, "secret.example.com");
                EXPECT_EQ(learned.resumed, resumed);
                EXPECT_EQ(learned.certificate.verdict, c.verdict);
                EXPECT_EQ(learned.certificate.detail, c.detail);
                EXPECT_EQ(learned.certificate.subject, c.issuer == nullptr ? "" : "CN=device");
                EXPECT_EQ(learned.certificate.der, c.issuer == nullptr ? "" : der_of(shown));
                if (c.issuer != nullptr) { EXPECT_LE(abs(learned.certificate.not_after - shown.not_after), 2s); }
            }
        }
    }
}

// Signed by a key that is not the trusted authority's, though it bears its name.
TEST(TlsClientCertificate, OfAnImpostorIsUntrustedEvenWhenItHasExpired) {
    const Authority impostor("Test CA");
    const auto forged = impostor.issue({.begins = -2h, .ends = -1h, .common_name = "device"});
    const PeerContext peer({.credential = &forged});
    const Learned learned = connects(*server_with(asking()), peer, "secret.example.com");
    EXPECT_EQ(learned.certificate.verdict, Verdict::untrusted);
    EXPECT_EQ(learned.certificate.detail, "certificate signature failure");
}

TEST(TlsClientCertificate, HasASubjectThatFitsAHeaderField) {
    using namespace std::string_literals;
    struct Case {
        std::string common_name;
        std::string subject;
    };
    const Case cases[] = {
        {"J\xc3\xb6rg", "CN=J\\C3\\B6rg"},
        {"a\r\nX-Injected: b", "CN=a\\0D\\0AX-Injected: b"},
        {"a\0b"s, "CN=a\\00b"},
        {"a, O=Other+\"<>;\\", "CN=a\\, O=Other\\+\\\"\\<\\>\\;\\\\"},
        {"#1", "CN=\\#1"},
        {std::string(2000, 'x'), "CN=" + std::string(1018, 'x') + "..."},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.subject);
        const auto device = authority().issue({.common_name = c.common_name});
        const PeerContext peer({.credential = &device});
        EXPECT_EQ(connects(*server_with(asking()), peer, "secret.example.com").certificate.subject, c.subject);
    }
}

TEST(TlsClientCertificate, IsAskedForWithEachAuthorityNamedOnceAndWithNoneWhenTheyAreTooMany) {
    const Authority second("Second CA");
    const Authority renewed("Test CA");
    const std::string all = authority().pem() + second.pem();
    struct Case {
        const char* name;
        std::vector<std::string> trusted;
        std::vector<std::string> authorities;
    };
    std::vector<std::string> many;
    for (int count = 0; count < 1000; ++count)
        many.push_back(Authority("Authority " + std::to_string(count) + std::string(40, 'x')).pem());
    const Case cases[] = {
        {"one", {authority().pem()}, {"Test CA"}},
        {"two in one text and one of the same name", {all, renewed.pem()}, {"Test CA", "Second CA"}},
        {"none", {}, {}},
        {"too many for the field", many, {}},
    };
    for (const int version : tls_versions) {
        for (const Case& c : cases) {
            SCOPED_TRACE(std::string(c.name) + " by " + std::to_string(version));
            const PeerContext peer({.version = version});
            const auto server = server_with({nullptr, c.trusted, asks_for_secret});
            EXPECT_THAT(connects(*server, peer, "secret.example.com").authorities,
                        ::testing::UnorderedElementsAreArray(c.authorities));
        }
    }
}

TEST(TlsClientCertificate, IsNotPassedByWithASessionFromElsewhere) {
    const auto keys = TicketKeys::random();
    const auto always = [](const ClientSaid&) { return true; };
    struct Case {
        const char* name;
        TlsServer::Options first;
        const char* first_name;
        TlsServer::Options second;
        const char* second_name;
        bool resumed;
        Verdict verdict;  // of the second connection
    };
    const char* const secret = "secret.example.com";
    const char* const open = "open.example.com";
    const Case cases[] = {
        {"the same name, asked", asking(asks_for_secret, keys), secret, asking(asks_for_secret, keys), secret, true,
         Verdict::trusted},
        {"the same name, not asked", asking(asks_for_secret, keys), open, asking(asks_for_secret, keys), open, true,
         Verdict::none},
        {"no name", asking(asks_for_secret, keys), "", asking(asks_for_secret, keys), "", true, Verdict::none},
        {"other ticket keys", asking(asks_for_secret, keys), secret, asking(asks_for_secret, TicketKeys::random()),
         secret, false, Verdict::trusted},
        {"from a name that is not asked", asking(asks_for_secret, keys), open, asking(asks_for_secret, keys), secret,
         false, Verdict::trusted},
        {"from a name that is asked", asking(asks_for_secret, keys), secret, asking(asks_for_secret, keys), open, false,
         Verdict::none},
        {"from another name that is asked", asking(always, keys), open, asking(always, keys), secret, false,
         Verdict::trusted},
        {"from no name", asking(asks_for_secret, keys), "", asking(asks_for_secret, keys), secret, false,
         Verdict::trusted},
        {"the name is asked since", asking(asks_for_secret, keys), open, asking(always, keys), open, false,
         Verdict::trusted},
        {"others are trusted since", asking(asks_for_secret, keys), secret, asking(asks_for_secret, keys, stranger()),
         secret, false, Verdict::untrusted},
    };
    const auto device = authority().issue({.dns_names = {"device.example"}});
    for (const int version : tls_versions) {
        for (const Case& c : cases) {
            SCOPED_TRACE(std::string(c.name) + " by " + std::to_string(version));
            const PeerContext peer({.version = version, .credential = &device});
            EXPECT_FALSE(connects(*server_with(c.first), peer, c.first_name).resumed);
            const Learned second = connects(*server_with(c.second), peer, c.second_name);
            EXPECT_EQ(second.resumed, c.resumed);
            EXPECT_EQ(second.certificate.verdict, c.verdict);
        }
    }
}

TEST(TlsClientCertificate, ExpiresAlsoInASessionThatIsResumed) {
    const auto device = authority().issue({.ends = 1h, .common_name = "device"});
    for (const int version : tls_versions) {
        SCOPED_TRACE(version);
        VirtualLoop loop;
        loop.run([](Loop& on, const PeerContext& by) -> Task<void> {
            const auto server = server_with(asking());
            Cancellation cancellation;
            Learned learned;
            co_await connects_on(on, *server, by, "secret.example.com", learned);
            EXPECT_EQ(learned.certificate.verdict, Verdict::trusted);
            co_await Sleep(on, cancellation, on.in(2h));
            co_await connects_on(on, *server, by, "secret.example.com", learned);
            EXPECT_TRUE(learned.resumed);
            EXPECT_EQ(learned.certificate.verdict, Verdict::expired);
            EXPECT_EQ(learned.certificate.detail, "certificate has expired");
        }(*loop, PeerContext({.version = version, .credential = &device})));
    }
}

TEST(TlsClientCertificate, OfOursIsShownToATargetThatAsks) {
    const auto own = authority().issue({.common_name = "gateway"});
    struct Case {
        std::optional<crypto::Credential> credential;
        bool asked;
        Verdict verdict;
    };
    const Case cases[] = {
        {own, true, Verdict::trusted}, {own, false, Verdict::none}, {std::nullopt, true, Verdict::none}};
    for (const Case& c : cases) {
        const auto client = *TlsClient::create({.ca_pems = {authority().pem()}, .credential = c.credential});
        const auto server = server_with(asking([&](const ClientSaid&) { return c.asked; }));
        VirtualLoop loop;
        loop.run([](Loop& on, const TlsClient& near, const TlsServer& far, Verdict expected) -> Task<void> {
            Cancellation cancellation;
            StreamPair pair(on, cancellation);
            pair.near.attach(near.connect("a.example.com"));
            pair.far.attach(far.accept());
            const auto [mine, theirs] = co_await shake_hands(pair);
            EXPECT_EQ(mine.failure, TlsFailure::none) << mine.detail;
            EXPECT_EQ(theirs.failure, TlsFailure::none) << theirs.detail;
            EXPECT_EQ(pair.far.tls()->peer_certificate().verdict, expected);
        }(*loop, *client, *server, c.verdict));
    }
}

TEST(TlsClientCertificate, OfOursThatCanNotBeUsedIsAnError) {
    auto broken = authority().issue({.common_name = "gateway"});
    broken.key_pem = authority().issue({.common_name = "other"}).key_pem;
    const auto client = TlsClient::create({.credential = broken});
    ASSERT_FALSE(client.has_value());
    EXPECT_EQ(client.error().message, "certificate 'gateway' can't be used: key values mismatch");
}
