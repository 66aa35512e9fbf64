// What passes once an H.323 connection is routed, what the record and the guard learn of it, and who is held to the
// name in a certificate.
#include "gate/h323/watch.hpp"

#include "gate/testing.hpp"
#include "wire/h323/answer.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sallyport::gate::h323 {
namespace {

using namespace sallyport::h323;
using gate::testing::TestGate;
using telemetry::Reason;
using telemetry::Verdict;

// A whole Facility of H.460.17 around a RasMessage in hex.
std::string facility(std::string_view ras_hex) {
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    std::string ras;
    for (std::size_t i = 0; i + 1 < ras_hex.size(); i += 2)
        ras += static_cast<char>(digit(ras_hex[i]) << 4 | digit(ras_hex[i + 1]));
    std::string generic("\x01\x40\x00\x11\x00\x00\x40\x00\x01\x00", 10);
    generic += static_cast<char>(ras.size()) + ras;
    std::string h225("\x05\x28\x10\x01\x00\x10\x81\x01\x80", 9);
    h225 += static_cast<char>(generic.size()) + generic;
    std::string message("\x08\x02\x00\x00\x62\x7e\x00", 7);
    message += static_cast<char>(h225.size()) + h225;
    return std::string("\x03\0\0", 3) + static_cast<char>(4 + message.size()) + message;
}

// RRQs for example.com, number 4631, as h323-ID "ab" or "cd", or with no alias.
constexpr std::string_view rrq_head = "0ec01216060008914a00078000002200090000000001";
constexpr std::string_view rrq_tail = "14006500780061006d0070006c0065002e0063006f006d";
const std::string as_ab = facility(std::string(rrq_head) + "4001" + "00610062" + std::string(rrq_tail));
const std::string as_cd = facility(std::string(rrq_head) + "4001" + "00630064" + std::string(rrq_tail));
const std::string keep_alive =
    facility("0e401217060008914a00078000002200090000000140" + std::string(rrq_tail.substr(2)));
const std::string elsewhere = facility("0e401217060008914a00078000002200090000000040006100620063");
const std::string security_denial = facility(
    "148012150600"
    "08914a00078301001400" +
    std::string(rrq_tail.substr(4)));

struct Routed {
    TestGate at;
    Session session{at.gate, at.listener, *SocketAddress::parse("192.0.2.7:4000")};
    io::testing::StreamPair client{*at.loop, session.cancellation};
    io::testing::StreamPair target{*at.loop, session.cancellation};
    Tunnel tunnel;
    std::unique_ptr<H323Watch> watch;

    explicit Routed(std::unique_ptr<ShownCertificate> vouched = nullptr)
        : tunnel{.target = {.stream = std::move(target.near),
                            .lease = *Lease::take(std::make_shared<TargetState>(), nullptr, 0),
                            .text = "10.0.0.1:1720",
                            .server_name = {},
                            .tls = vouched != nullptr},
                 .protocol = config::Protocol::h323,
                 .service = "example.com",
                 .looked_for = "example.com",
                 .method = {},
                 .url = {},
                 .since = {},
                 .began = {},
                 .relayed = {}} {
        session.protocol = config::Protocol::h323;
        watch = std::make_unique<H323Watch>(session, tunnel, RegisteredNames(config::Service{}), std::move(vouched));
    }

    bool from_client(std::string_view bytes) {
        return watch->from_client(as_bytes(bytes), client.near, tunnel.target.stream);
    }
    bool from_target(std::string_view bytes) {
        return watch->from_target(as_bytes(bytes), client.near, tunnel.target.stream);
    }
    static std::string read(io::Stream& from) {
        std::vector<std::byte> room(std::size_t{64} * 1024);
        const io::Got got = from.read(room);
        return got.io == io::Io::ok ? std::string(as_text(Bytes(room).first(got.bytes))) : std::string();
    }
    std::string at_target() { return read(target.far); }
    std::string at_client() { return read(client.far); }
    std::uint64_t refused(Reason reason) const { return at.ended(telemetry::Protocol::h323, Verdict::refused, reason); }
};

std::unique_ptr<ShownCertificate> for_ab() {
    return std::make_unique<ShownCertificate>(crypto::Verdict::trusted, std::vector<std::string>{"ab"});
}

TEST(H323Watch, PassesEveryByteAtOnce) {
    Routed routed;
    const std::string half = as_ab.substr(0, 30);
    EXPECT_TRUE(routed.from_client(half));
    EXPECT_EQ(routed.at_target(), half);
    EXPECT_TRUE(routed.from_client("what is no TPKT"));
    EXPECT_EQ(routed.at_target(), "what is no TPKT");
    EXPECT_TRUE(routed.from_target(security_denial.substr(0, 9) + "broken"));
    EXPECT_EQ(routed.at_client(), security_denial.substr(0, 9) + "broken");
}

TEST(H323Watch, NotesAnotherGatekeeperOnce) {
    Routed routed;
    EXPECT_TRUE(routed.from_client(as_ab + elsewhere + elsewhere + as_ab));
    EXPECT_EQ(routed.watch->detail(), "a later registration names another gatekeeper: abc");
    EXPECT_EQ(routed.watch->reason(), Reason::ok);
}

TEST(H323Watch, HoldsLaterRegistrationsToTheNameThatWasVouchedFor) {
    Routed routed(for_ab());
    EXPECT_TRUE(routed.from_client(as_ab + keep_alive));
    EXPECT_EQ(routed.at_target(), as_ab + keep_alive);
    EXPECT_FALSE(routed.from_client(as_cd));
    EXPECT_EQ(routed.at_target(), "") << "it must not arrive";
    EXPECT_EQ(routed.watch->reason(), Reason::cert_name_mismatch);
    EXPECT_EQ(routed.refused(Reason::cert_name_mismatch), 1U);
    EXPECT_TRUE(routed.at_client().contains("[cert.name_mismatch]"));
    EXPECT_FALSE(routed.from_client(as_ab)) << "it has ended";
    EXPECT_EQ(routed.at_target(), "");
}

TEST(H323Watch, LetsNothingUnreadPassWhereACertificateHasVouched) {
    const std::string other(std::string("\x03\0\x50\0\x08\x02\0\0\x62", 9) + std::string(100, 'x'));
    const std::string broken = as_ab.substr(0, as_ab.size() - 60) + std::string(60, '\xFF');
    struct Case {
        std::string bytes;
        Reason reason;
    };
    for (const Case& c : {Case{"GET / HTTP/1.1", Reason::peek_malformed}, Case{other, Reason::peek_too_large},
                          Case{broken, Reason::peek_malformed}}) {
        Routed routed(for_ab());
        EXPECT_TRUE(routed.from_client(as_ab));
        EXPECT_EQ(routed.at_target(), as_ab);
        EXPECT_FALSE(routed.from_client(c.bytes));
        EXPECT_EQ(routed.at_target(), "");
        EXPECT_EQ(routed.watch->reason(), c.reason);
    }
    Routed pieces(for_ab());
    for (std::size_t i = 0; i + 1 < as_cd.size(); ++i) EXPECT_TRUE(pieces.from_client(as_cd.substr(i, 1)));
    EXPECT_FALSE(pieces.from_client(as_cd.substr(as_cd.size() - 1)));
    EXPECT_EQ(pieces.at_target(), "") << "not an octet of it";
}

Heard registers(std::vector<Alias> aliases) {
    Heard heard;
    RasMessage& ras = heard.ras.emplace_back();
    ras.kind = ras::registration_request;
    ras.aliases = std::move(aliases);
    return heard;
}

TEST(RegisteredNames, AreHeldAgainstTheCertificate) {
    using enum AliasKind;
    using config::RegistrationName;
    const Alias id{h323_id, "phone1"};
    const Alias url{url_id, "h323:phone1@Example.com"};
    const Alias digits{dialled_digits, "4711"};
    struct Case {
        std::string name;
        std::vector<std::string> certificate;
        std::vector<Alias> aliases;
        std::vector<RegistrationName> kinds;
        Fit fit;
    };
    const std::vector<RegistrationName> all = {RegistrationName::h323_id, RegistrationName::url_id,
                                               RegistrationName::e164};
    const Case cases[] = {
        {"its id", {"phone1"}, {id}, all, Fit::yes},
        {"its id and its address", {"phone1"}, {id, digits, url}, all, Fit::yes},
        {"its address alone", {"phone1@example.com"}, {url}, all, Fit::yes},
        {"an id that is not in the certificate", {"phone1@example.com"}, {id, url}, all, Fit::no},
        {"another's id beside its own", {"phone1"}, {id, {h323_id, "boss"}}, all, Fit::no},
        {"another host", {"phone1@example.net"}, {url}, all, Fit::no},
        {"a number alone", {"4711"}, {digits}, all, Fit::yes},
        {"a number of another", {"phone1"}, {digits}, all, Fit::no},
        {"a kind that does not count", {"phone1"}, {id, digits}, {RegistrationName::e164}, Fit::no},
        {"only what counts", {"4711"}, {id, digits}, {RegistrationName::e164}, Fit::yes},
        {"no alias", {"phone1"}, {}, all, Fit::nothing},
        {"a transport address", {"phone1"}, {{transport_id, ""}}, all, Fit::nothing},
        {"a wildcard", {"*@example.com"}, {url}, all, Fit::no},
    };
    for (const Case& c : cases) {
        config::Service settings;
        settings.registration_name.clear();
        for (const auto kind : c.kinds) settings.registration_name.push_back({kind, {}});
        const ShownCertificate shown(crypto::Verdict::trusted, c.certificate);
        EXPECT_EQ(RegisteredNames(settings).fit(shown, registers(c.aliases)), c.fit) << c.name;
    }
}

}  // namespace
}  // namespace sallyport::gate::h323
