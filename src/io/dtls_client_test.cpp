// DTLS of both sides, ours against ours: who is believed, and what becomes of flights that are lost.
#include "io/dtls_client.hpp"

#include "io/testing_certificates.hpp"

#include <gtest/gtest.h>
#include <sys/time.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace {

time_t ahead = 0;  // seconds by which OpenSSL's clock is before the system's

}  // namespace

// OpenSSL 3.0 reads the clock of its retransmissions by this one, and so a test can let its time pass.
extern "C" int gettimeofday(timeval* now, void*) noexcept {
    timespec real{};
    clock_gettime(CLOCK_REALTIME, &real);
    *now = {.tv_sec = real.tv_sec + ahead, .tv_usec = real.tv_nsec / 1000};
    return 0;
}

namespace sallyport::io {
namespace {

using State = DtlsSession::State;
using Datagrams = std::deque<std::string>;

constexpr std::string_view protocols[] = {"stun.turn"};

const testing::Authority& authority() {
    static const testing::Authority made("Test CA");
    return made;
}

// A client and its server, and a way between them that may lose what is under way.
class Scene {
public:
    explicit Scene(const testing::Subject& subject = {.dns_names = {"turn.example.com"}},
                   const std::string& name = "turn.example.com", bool verify = true)
        : server_(*DtlsServer::create(std::vector{authority().issue(subject)}, {.protocols = protocols})),
          client_(*DtlsClient::create({.ca_pems = {authority().pem()}, .verify = verify, .protocols = protocols})),
          near(client_->connect(name)) {
        ahead = 0;
    }

    /// One flight of each side. True: something came.
    bool exchange() {
        const Datagrams there = carry(to_server);
        for (const auto& one : there) serve(one);
        const Datagrams back = carry(to_client);
        for (const auto& one : back) hear(one);
        return !there.empty() || !back.empty();
    }
    void shake_hands() {
        hear("");
        while (exchange()) {}
    }
    void hear(const std::string& datagram) {
        near->receive(as_bytes(datagram), send_to(to_server),
                      [this](Bytes data) { heard.emplace_back(as_text(data)); });
    }
    void write(std::string_view data) { near->write(as_bytes(data), send_to(to_server)); }
    void lose(int flight) { lost_ = flight; }
    /// Lets OpenSSL's second pass, on both sides.
    void pass_a_second() {
        ahead += 2;
        near->tick(send_to(to_server));
        if (far != nullptr) far->tick(send_to(to_client));
    }
    static DtlsSession::Send send_to(Datagrams& there) {
        return [&there](Bytes datagram) { there.emplace_back(as_text(datagram)); };
    }

private:
    Datagrams carry(Datagrams& flight) {
        Datagrams out = std::exchange(flight, {});
        if (!out.empty() && flights_++ == lost_) out.clear();
        return out;
    }
    void serve(const std::string& datagram) {
        const auto echo = [this](Bytes data) { far->write(data, send_to(to_client)); };
        if (far != nullptr) return far->receive(as_bytes(datagram), send_to(to_client), echo);
        far = server_->accept(as_bytes(datagram), *SocketAddress::parse("192.0.2.7:5000"), send_to(to_client));
        if (far != nullptr) far->receive({}, send_to(to_client), echo);
    }

    std::shared_ptr<DtlsServer> server_;
    std::shared_ptr<DtlsClient> client_;
    int flights_ = 0;
    int lost_ = -1;

public:
    std::unique_ptr<DtlsSession> near;
    std::unique_ptr<DtlsSession> far;
    Datagrams to_server;
    Datagrams to_client;
    std::vector<std::string> heard;
};

TEST(DtlsClient, CarriesDataBothWaysOnceTheServerIsVerified) {
    Scene scene;
    scene.shake_hands();
    ASSERT_EQ(scene.near->state(), State::open) << scene.near->problem();
    scene.write("there and back");
    while (scene.exchange()) {}
    EXPECT_EQ(scene.heard, std::vector<std::string>{"there and back"});
    scene.near->end(Scene::send_to(scene.to_server));
    scene.exchange();
    EXPECT_EQ(scene.near->state(), State::ended);
    EXPECT_EQ(scene.far->state(), State::ended);
    EXPECT_EQ(scene.near->problem(), "");
}

TEST(DtlsClient, BelievesOnlyWhoIsWhatItAskedFor) {
    const testing::Subject named{.dns_names = {"turn.example.com"}};
    const testing::Subject expired{.dns_names = {"turn.example.com"}, .ends = std::chrono::seconds(-60)};
    const testing::Subject addressed{.ip_names = {*IpAddress::parse("192.0.2.1")}};
    struct Case {
        testing::Subject subject;
        std::string asked;
        bool verify;
        std::string problem;  // empty: it is believed
    };
    for (const auto& [subject, asked, verify, problem] : {
             Case{named, "turn.example.com", true, ""},
             Case{named, "other.example.com", true, "hostname mismatch"},
             Case{named, "other.example.com", false, ""},
             Case{named, "192.0.2.1", true, "IP address mismatch"},
             Case{addressed, "192.0.2.1", true, ""},
             Case{addressed, "192.0.2.2", true, "IP address mismatch"},
             Case{expired, "turn.example.com", true, "certificate has expired"},
             Case{expired, "turn.example.com", false, ""},
         }) {
        Scene scene(subject, asked, verify);
        scene.shake_hands();
        EXPECT_EQ(scene.near->state(), problem.empty() ? State::open : State::ended) << asked;
        EXPECT_EQ(scene.near->problem(), problem) << asked;
    }
}

TEST(DtlsClient, BelievesNobodyOfAnotherAuthority) {
    const testing::Authority other("Another CA");
    const auto client = *DtlsClient::create({.ca_pems = {other.pem()}});
    Scene scene;
    scene.near = client->connect("turn.example.com");
    scene.shake_hands();
    EXPECT_EQ(scene.near->state(), State::ended);
    EXPECT_EQ(scene.near->problem(), "unable to get local issuer certificate");
}

TEST(DtlsClient, OffersItsProtocolsAndAsksByName) {
    Scene scene;
    scene.hear("");
    ASSERT_EQ(scene.to_server.size(), 1U);
    EXPECT_TRUE(scene.to_server.front().contains("\x09stun.turn"));
    EXPECT_TRUE(scene.to_server.front().contains("turn.example.com"));
    Scene by_address({}, "192.0.2.1");
    by_address.hear("");
    EXPECT_FALSE(by_address.to_server.front().contains("192.0.2.1"));
}

TEST(DtlsClient, SendsAgainWhatIsLost) {
    // The hello, the cookie, the hello with it, the certificate, the key and "finished", "finished".
    for (int flight = 0; flight < 6; ++flight) {
        Scene scene;
        scene.lose(flight);
        scene.shake_hands();
        EXPECT_EQ(scene.near->state(), State::shaking) << flight;
        scene.pass_a_second();
        while (scene.exchange()) {}
        EXPECT_EQ(scene.near->state(), State::open) << flight;
    }
}

TEST(DtlsClient, GivesUpWhereNobodyAnswers) {
    Scene scene;
    scene.hear("");
    std::size_t hellos = 0;
    for (int minutes = 0; minutes < 20 && scene.near->state() == State::shaking; ++minutes) {
        hellos += std::exchange(scene.to_server, {}).size();
        ahead += 60;
        scene.near->tick(Scene::send_to(scene.to_server));
    }
    EXPECT_EQ(scene.near->state(), State::ended);
    EXPECT_EQ(scene.near->problem(), "read timeout expired");
    EXPECT_EQ(hellos, 13U);
}

}  // namespace
}  // namespace sallyport::io
