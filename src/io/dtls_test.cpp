// DTLS against OpenSSL's own client: no state before an address is proven, then data both ways.
#include "io/dtls.hpp"

#include "crypto/openssl.hpp"
#include "io/testing_certificates.hpp"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace sallyport::io {
namespace {

constexpr std::string_view protocols[] = {"stun.turn"};

std::shared_ptr<DtlsServer> make_server() {
    static const testing::Authority authority("Test CA");
    const std::vector credentials{authority.issue({.dns_names = {"a.example.com"}}),
                                  authority.issue({.dns_names = {"b.example.com"}})};
    return *DtlsServer::create(credentials, {.protocols = protocols});
}

SocketAddress at(std::string_view text) { return *SocketAddress::parse(text); }

/// OpenSSL's client, whose datagrams are strings.
class Client {
public:
    Client() : context_(SSL_CTX_new(DTLS_client_method())), ssl_(SSL_new(context_.get())) {
        SSL_set_bio(ssl_.get(), in_, out_);
        BIO_set_mem_eof_return(in_, -1);
        SSL_set_connect_state(ssl_.get());
        SSL_set_options(ssl_.get(), SSL_OP_NO_QUERY_MTU);
        SSL_set_mtu(ssl_.get(), 1200);
    }
    void ask_for(const char* name) { SSL_set_tlsext_host_name(ssl_.get(), name); }
    void offer(std::string_view wire) {
        SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(wire.data()),
                            static_cast<unsigned>(wire.size()));
    }
    bool shake_hands() { return SSL_do_handshake(ssl_.get()) == 1; }
    void hear(std::string_view datagram) { BIO_write(in_, datagram.data(), static_cast<int>(datagram.size())); }
    void write(std::string_view data) { SSL_write(ssl_.get(), data.data(), static_cast<int>(data.size())); }
    std::string read() {
        std::string out(2000, '\0');
        out.resize(static_cast<std::size_t>(std::max(0, SSL_read(ssl_.get(), out.data(), 2000))));
        return out;
    }
    /// What it has sent since.
    std::string sent() {
        std::string out(20'000, '\0');
        out.resize(static_cast<std::size_t>(std::max(0, BIO_read(out_, out.data(), 20'000))));
        return out;
    }
    std::string agreed() const {
        const unsigned char* name = nullptr;
        unsigned size = 0;
        SSL_get0_alpn_selected(ssl_.get(), &name, &size);
        return {reinterpret_cast<const char*>(name), size};
    }
    std::string shown() const {
        const X509* certificate = SSL_get0_peer_certificate(ssl_.get());
        char name[100]{};
        X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof name);
        return name;
    }
    void say_goodbye() { SSL_shutdown(ssl_.get()); }

private:
    std::unique_ptr<SSL_CTX, crypto::Release<SSL_CTX_free>> context_;
    BIO* in_ = BIO_new(BIO_s_mem());
    BIO* out_ = BIO_new(BIO_s_mem());
    std::unique_ptr<SSL, crypto::Release<SSL_free>> ssl_;
};

struct Scene {
    std::shared_ptr<DtlsServer> server = make_server();
    Client client;
    std::unique_ptr<DtlsSession> session;
    std::vector<std::string> data;  // what the server has got
    std::size_t answers = 0;        // datagrams
    DtlsSession::Send send = [this](Bytes datagram) {
        ++answers;
        client.hear(as_text(datagram));
    };

    void carry(const std::string& datagram) {
        session->receive(as_bytes(datagram), send, [this](Bytes bytes) { data.emplace_back(as_text(bytes)); });
    }
    /// The whole of it, from this address.
    void shake_hands(std::string_view from = "192.0.2.7:5000") {
        for (int flights = 0; flights < 6 && !client.shake_hands(); ++flights) {
            const std::string datagram = client.sent();
            if (datagram.empty()) continue;
            if (session == nullptr) {
                session = server->accept(as_bytes(datagram), at(from), send);
                if (session != nullptr) carry("");
            } else {
                carry(datagram);
            }
        }
        ASSERT_NE(session, nullptr);
        ASSERT_EQ(session->state(), DtlsSession::State::open);
    }
};

TEST(Dtls, BeginsForThoseWhoseAddressIsProven) {
    Scene scene;
    scene.client.shake_hands();
    const std::string first = scene.client.sent();
    EXPECT_EQ(scene.server->accept(as_bytes(first), at("192.0.2.7:5000"), scene.send), nullptr);
    EXPECT_EQ(scene.answers, 1U);
    scene.client.shake_hands();
    const std::string with_cookie = scene.client.sent();
    EXPECT_GT(with_cookie.size(), first.size());
    for (const char* other : {"192.0.2.8:5000", "192.0.2.7:5001"})
        EXPECT_EQ(scene.server->accept(as_bytes(with_cookie), at(other), scene.send), nullptr);
    EXPECT_NE(scene.server->accept(as_bytes(with_cookie), at("192.0.2.7:5000"), scene.send), nullptr);
}

TEST(Dtls, AnswersAStrangerWithLessThanItSends) {
    Scene scene;
    scene.client.shake_hands();
    const std::string first = scene.client.sent();
    std::size_t size = 0;
    scene.server->accept(as_bytes(first), at("192.0.2.7:5000"), [&](Bytes answer) { size += answer.size(); });
    EXPECT_GT(size, 0U);
    EXPECT_LT(size, first.size());
}

TEST(Dtls, CarriesDataBothWays) {
    Scene scene;
    scene.shake_hands();
    scene.client.write("there");
    scene.carry(scene.client.sent());
    scene.session->write(as_bytes("back"), scene.send);
    EXPECT_EQ(scene.data, std::vector<std::string>{"there"});
    EXPECT_EQ(scene.client.read(), "back");
}

TEST(Dtls, ShowsTheCertificateOfTheNameAndAgreesByAlpn) {
    Scene scene;
    scene.client.ask_for("B.example.com");
    scene.client.offer("\x02h2\x09stun.turn");
    scene.shake_hands();
    EXPECT_EQ(scene.client.shown(), "b.example.com");
    EXPECT_EQ(scene.client.agreed(), "stun.turn");
    Scene other;
    other.client.offer("\x02h2");
    other.shake_hands();
    EXPECT_EQ(other.client.shown(), "a.example.com");
    EXPECT_EQ(other.client.agreed(), "");
}

TEST(Dtls, EndsWhenTheClientSaysSo) {
    Scene scene;
    scene.shake_hands();
    scene.client.say_goodbye();
    scene.carry(scene.client.sent());
    EXPECT_EQ(scene.session->state(), DtlsSession::State::ended);
    scene.session->write(as_bytes("more"), scene.send);
    EXPECT_EQ(scene.client.read(), "");
}

TEST(Dtls, PassesOverWhatIsForgedOrTorn) {
    Scene scene;
    scene.shake_hands();
    scene.client.write("there");
    const std::string datagram = scene.client.sent();
    for (std::size_t size = 0; size < datagram.size(); ++size) scene.carry(datagram.substr(0, size));
    for (std::size_t place = 13; place < datagram.size(); ++place) {
        std::string changed = datagram;
        changed[place] = static_cast<char>(changed[place] ^ 1);
        scene.carry(changed);
    }
    EXPECT_EQ(scene.data.size(), 0U);
    EXPECT_EQ(scene.session->state(), DtlsSession::State::open);
    scene.carry(datagram);
    scene.carry(datagram);  // a repetition is dropped
    EXPECT_EQ(scene.data, std::vector<std::string>{"there"});
}

TEST(Dtls, AnswersNothingToWhatIsNoHello) {
    Scene scene;
    scene.client.shake_hands();
    const std::string hello = scene.client.sent();
    EXPECT_TRUE(DtlsServer::begins(as_bytes(hello)));
    for (std::size_t size = 0; size < hello.size(); ++size)
        EXPECT_EQ(scene.server->accept(as_bytes(hello.substr(0, size)), at("192.0.2.7:5000"), scene.send), nullptr);
    for (const std::string& garbage : {std::string("\0\1\0\0\x21\x12\xA4\x42", 8), std::string(100, '\x16')})
        EXPECT_EQ(scene.server->accept(as_bytes(garbage), at("192.0.2.7:5000"), scene.send), nullptr);
    EXPECT_EQ(scene.answers, 0U);
    EXPECT_EQ(scene.server->accept(as_bytes(hello), at("192.0.2.7:5000"), scene.send), nullptr);
    EXPECT_EQ(scene.answers, 1U);
}

TEST(Dtls, NeedsACertificate) {
    EXPECT_EQ(DtlsServer::create({}, {}).error().message, "a DTLS listener needs a certificate");
}

}  // namespace
}  // namespace sallyport::io
