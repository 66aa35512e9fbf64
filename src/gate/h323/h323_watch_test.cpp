// What passes once an H.323 connection is routed, what the record and the guard learn of it, and who is held to the
// name in a certificate.
#include "gate/h323/watch.hpp"

#include "gate/h323/discover.hpp"
#include "gate/routed_testing.hpp"
#include "wire/h323/answer.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sallyport::gate::h323 {
namespace {

using namespace sallyport::h323;
using telemetry::Reason;

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

struct Routed : gate::testing::RoutedConnection<H323Watch> {
    explicit Routed(std::unique_ptr<ShownCertificate> vouched = nullptr)
        : RoutedConnection(config::Protocol::h323, "example.com", vouched != nullptr) {
        watch = std::make_unique<H323Watch>(session, tunnel, RegisteredNames(config::Service{}), std::move(vouched));
    }
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

// How an end came, and how long after the first message.
struct Silence {
    std::string name;
    bool target_speaks = false;
    std::chrono::seconds waited{0};
    bool by_target = false;
    io::RelayEnd end = io::RelayEnd::both_closed;
    std::string sign = "-";
    std::string detail = {};
};

template <class Connection>
std::string told(Connection& routed) {
    const auto told = routed.at.gate.guard().take();
    return told ? std::string(guard::name(told->sign)) : "-";
}

io::Task<void> live(Routed& routed, const Silence& c) {
    routed.from_client(as_ab);
    if (c.target_speaks) routed.from_target(keep_alive);
    co_await io::Sleep(*routed.at.loop, routed.session.cancellation, routed.at.loop->in(c.waited));
    routed.tunnel.target.lease.target()->spoke(routed.at.loop->now());  // to another client
    if (c.by_target) routed.watch->target_ended(routed.client.near);
    routed.watch->over(c.end);
}

TEST(H323Watch, TellsTheGuardOfATargetThatSaysNothing) {
    using enum io::RelayEnd;
    using namespace std::chrono_literals;
    const std::string silent = "the target has not said a word";
    const Silence cases[] = {
        {.name = "the client gave up", .waited = 10s, .sign = "doubtful", .detail = silent},
        {.name = "the client did not wait", .waited = 9s},
        {.name = "the client was reset", .waited = 20s, .end = client_failed, .sign = "doubtful", .detail = silent},
        {.name = "the target closes", .waited = 1s, .by_target = true, .sign = "doubtful", .detail = silent},
        {.name = "the target breaks off", .waited = 1s, .end = target_failed, .sign = "doubtful", .detail = silent},
        {.name = "the target has spoken", .target_speaks = true, .waited = 20s, .by_target = true},
        {.name = "an admin ends it", .waited = 20s, .end = cancelled},
        {.name = "it was refused", .waited = 20s, .end = refused},
    };
    for (const Silence& c : cases) {
        Routed routed;
        routed.at.run(live(routed, c));
        EXPECT_EQ(told(routed), c.sign) << c.name;
        EXPECT_EQ(routed.watch->detail(), c.detail) << c.name;
    }
}

// A GRQ of nobody for example.com, number 12346; a GCF and a GRJ securityDenial to it.
const std::string discovery =
    facility("02803039060008914a000700000000000000020280" + std::string(rrq_tail.substr(2)) + "1400400100");
const std::string confirmed = facility("04803039060008914a0007" + std::string(rrq_tail) + "000a17000106b7");
const std::string denied = facility("08803039060008914a0007" + std::string(rrq_tail) + "800100");

struct Discovery : gate::testing::RoutedConnection<H323Watch> {
    Opening opening{session, client.near, 1024};
    Reason reason = Reason::ok;

    Discovery() : RoutedConnection(config::Protocol::h323, "example.com", false) {}

    io::Task<void> ask() {
        const Heard heard = hear(as_bytes(discovery).subspan(4));
        EXPECT_TRUE(only_discovers(heard));
        reason = co_await discover(session, opening, tunnel, as_bytes(discovery), heard);
    }
};

// A refusal in the midst of the target's words would not be understood.
TEST(H323Discovery, PassesOnWhatTheTargetSaysOnceItsMessageIsWhole) {
    const std::string keep("\x03\0\0\x04", 4);
    struct Case {
        std::string name, said;
        Reason reason;
        std::string sign = "-";
    };
    const std::string large = std::string("\x03\0\x50\0\x08\x02\0\0\x62", 9) + std::string(100, 'x');
    const Case cases[] = {
        {"a confirm", confirmed, Reason::ok},
        {"a keep-alive in front", keep + confirmed, Reason::ok},
        {"a reject", denied, Reason::ok, "wrong_credentials"},
        {"no H.323", "HTTP/1.1 400 Bad Request", Reason::target_malformed},
        {"half a message", confirmed.substr(0, 40), Reason::target_stalled},
        {"half of one that is too large", large, Reason::target_malformed},
        {"nothing", "", Reason::target_stalled},
        {"keep-alives", keep + keep, Reason::target_stalled},
    };
    for (const Case& c : cases) {
        Discovery at;
        at.target.far.write(as_bytes(c.said));
        at.at.run(at.ask());
        EXPECT_EQ(telemetry::code(at.reason), telemetry::code(c.reason)) << c.name;
        const std::string passed = c.reason == Reason::ok ? c.said : "";
        EXPECT_EQ(at.at_client(), passed) << c.name;
        EXPECT_EQ(at.at_target(), discovery) << c.name;
        EXPECT_EQ(at.opening.sent(), passed.size()) << c.name;
        EXPECT_EQ(told(at), c.sign) << c.name;
    }
}

TEST(H323Discovery, EndsWithItsTarget) {
    Discovery at;
    at.target.far.close();
    at.at.run(at.ask());
    EXPECT_EQ(telemetry::code(at.reason), "target.closed");
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
