// What passes to the target, and what the client is told, once a SIP connection is routed.
#include "gate/sip/watch.hpp"

#include "gate/routed_testing.hpp"
#include "guard/table.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

using namespace sallyport;
using namespace sallyport::gate;
using namespace sallyport::gate::sip;
using gate::testing::snapshot_of;
using telemetry::Reason;

namespace {

constexpr std::string_view configuration = R"(
[trust]
ca = ["ca.pem"]

[[service]]
name = "hq.example.com"
protocol = "sip"
target = ["10.0.0.1"]
plain_port = 5060

[[service]]
name = "other.example.com"
protocol = "sip"
target = ["10.0.0.2"]
plain_port = 5060

[[service]]
name = "both.example.com"
protocol = "sip"
target = ["10.0.0.4"]
plain_port = 5060
tls_port = 5061

[[service]]
name = "checked.example.com"
protocol = "sip"
target = ["10.0.0.3"]
plain_port = 5060
tls_port = 5061
check_certificate = true
)";

struct Words {
    std::string_view method = "OPTIONS";
    std::string_view from = "sip:alice@hq.example.com";
    std::string_view to = "<sip:bob@hq.example.com>";
    std::string_view more = "";
    std::string_view body = "";
    unsigned number = 1;
};

std::string request(const Words& words) {
    const std::string number = std::to_string(words.number);
    return std::string(words.method) + " sip:bob@hq.example.com SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.7;branch=z9hG4bK" +
           number + ";rport\r\nFrom: <" + std::string(words.from) + ">;tag=1\r\nTo: " + std::string(words.to) +
           "\r\nCall-ID: call\r\nCSeq: " + number + " " + std::string(words.method) + "\r\n" + std::string(words.more) +
           "Content-Length: " + std::to_string(words.body.size()) + "\r\n\r\n" + std::string(words.body);
}

struct Routed : gate::testing::RoutedConnection<SipWatch> {
    explicit Routed(std::string service = "hq.example.com", bool leg_tls = false,
                    std::unique_ptr<ShownCertificate> shown = nullptr)
        : RoutedConnection(config::Protocol::sip, std::move(service), leg_tls) {
        at.gate.adopt(snapshot_of(at.book, configuration));
        watch = std::make_unique<SipWatch>(session, tunnel, std::move(shown));
        from_client(request({.method = "OPTIONS", .number = 1000}));  // by which it was routed
        at_target();
    }
};

std::string status_of_answer(std::string_view answer) {
    return std::string(answer.substr(0, std::min<std::size_t>(answer.find('\r'), answer.size())));
}

}  // namespace

TEST(SipWatch, PassesWhatBelongsToTheServiceAsItCame) {
    Routed routed;
    const std::string all = request({}) + "\r\n\r\n" + request({.method = "MESSAGE", .body = "hello", .number = 2}) +
                            "SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n";
    EXPECT_TRUE(routed.from_client(all));
    EXPECT_EQ(routed.at_target(), all);
    EXPECT_EQ(routed.at_client(), "");
}

TEST(SipWatch, PassesItAlsoInPieces) {
    const std::string all = request({}) + request({.method = "MESSAGE", .body = "hello", .number = 2});
    for (const std::size_t piece : {1U, 2U, 3U, 7U, 50U}) {
        Routed routed;
        std::string passed;
        for (std::size_t at = 0; at < all.size(); at += piece) {
            EXPECT_TRUE(routed.from_client(std::string_view(all).substr(at, piece)));
            passed += routed.at_target();
        }
        EXPECT_EQ(passed, all) << piece;
    }
}

TEST(SipWatch, RefusesInSipWhatBelongsElsewhere) {
    struct Case {
        std::string_view from;
        const char* answer;
        Reason reason;
    };
    const Case cases[] = {
        {"sip:alice@other.example.com", "SIP/2.0 403 Forbidden", Reason::service_unknown},
        {"sip:alice@nobody.example.com", "SIP/2.0 404 Not Found", Reason::service_unknown},
        {"tel:+4319", "SIP/2.0 403 Forbidden", Reason::service_no_name},
        {"sip:anonymous@anonymous.invalid", "SIP/2.0 403 Forbidden", Reason::service_no_name},
        {"not an address", "SIP/2.0 400 Bad Request", Reason::peek_malformed},
    };
    for (const Case& c : cases) {
        Routed routed;
        const std::string fine = request({.number = 3});
        EXPECT_TRUE(routed.from_client(request({.from = c.from, .body = "gone", .number = 2}) + fine)) << c.from;
        EXPECT_EQ(routed.at_target(), fine) << c.from;
        const std::string answer = routed.at_client();
        EXPECT_EQ(status_of_answer(answer), c.answer);
        EXPECT_NE(answer.find("CSeq: 2 OPTIONS\r\n"), std::string::npos) << answer;
        EXPECT_NE(answer.find(";received=192.0.2.7"), std::string::npos) << answer;
        EXPECT_NE(answer.find("[" + std::string(code(c.reason)) + "]"), std::string::npos) << answer;
        EXPECT_EQ(routed.refused(c.reason), 1U) << c.from;
    }
}

TEST(SipWatch, KeepsTheAckToItsOwnRefusalToItself) {
    Routed routed;
    routed.from_client(request({.method = "INVITE", .from = "sip:alice@nobody.example.com"}));
    const std::string answer = routed.at_client();
    const std::size_t tag = answer.find("To: <sip:bob@hq.example.com>;tag=") + 4;
    const std::string to = answer.substr(tag, answer.find('\r', tag) - tag);
    EXPECT_TRUE(routed.from_client(request({.method = "ACK", .from = "sip:alice@nobody.example.com", .to = to})));
    EXPECT_EQ(routed.at_target(), "");
    EXPECT_EQ(routed.at_client(), "");
}

TEST(SipWatch, LetsRequestsWithinDialogsGoWhereTheDialogIs) {
    Routed routed;
    // The callee's From is what the caller had written into To.
    const std::string bye = request({.method = "BYE", .from = "sip:alice@192.168.1.5", .to = "<sip:x@y>;tag=9"});
    EXPECT_TRUE(routed.from_client(bye));
    EXPECT_EQ(routed.at_target(), bye);
    const std::string posing =
        request({.method = "REGISTER", .from = "sip:a@nobody.example.com", .to = "<sip:x@y>;tag=9"});
    EXPECT_TRUE(routed.from_client(posing));
    EXPECT_EQ(routed.at_target(), "");
    EXPECT_EQ(status_of_answer(routed.at_client()), "SIP/2.0 404 Not Found");
}

TEST(SipWatch, SaysNothingInTheMiddleOfATargetsMessage) {
    Routed routed;
    EXPECT_TRUE(routed.from_target("MESSAGE sip:a SIP/2.0\r\nContent-Length: 10\r\n\r\n01234"));
    EXPECT_TRUE(routed.from_client(request({.from = "sip:alice@nobody.example.com"})));
    EXPECT_EQ(routed.at_client(), "MESSAGE sip:a SIP/2.0\r\nContent-Length: 10\r\n\r\n01234");
    EXPECT_TRUE(routed.from_target("56789"));
    const std::string rest = routed.at_client();
    EXPECT_TRUE(rest.starts_with("56789SIP/2.0 404 Not Found\r\n")) << rest;
}

TEST(SipWatch, EndsOnWhatCantBeReadAndSaysSo) {
    Routed routed;
    EXPECT_FALSE(routed.from_client("OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP a\r\nContent-Length: -1\r\n\r\n"));
    EXPECT_EQ(routed.watch->reason(), Reason::peek_malformed);
    EXPECT_EQ(status_of_answer(routed.at_client()), "SIP/2.0 400 Bad Request");
    EXPECT_EQ(routed.at_target(), "");
    EXPECT_FALSE(routed.from_client(request({})));  // it has ended, whatever came meanwhile
    EXPECT_EQ(routed.at_target(), "");
}

TEST(SipWatch, NeverFailsOnAnAnswerThatItCantRead) {
    Routed routed;
    EXPECT_TRUE(routed.from_target("this is no SIP\r\n\r\nat all"));
    EXPECT_TRUE(routed.from_target("SIP/2.0 200 OK\r\n\r\n"));
    EXPECT_EQ(routed.at_client(), "this is no SIP\r\n\r\nat allSIP/2.0 200 OK\r\n\r\n");
}

// Who is as before is not looked up again; all that the answer hangs on is.
TEST(SipWatch, AsksAgainWhoeverItAdmittedBefore) {
    const auto refuses = [](Routed& routed, const std::string& next) {
        EXPECT_TRUE(routed.from_client(next));
        return routed.at_target().empty();
    };
    {
        Routed routed;
        for (unsigned number = 1; number < 4; ++number) EXPECT_FALSE(refuses(routed, request({.number = number})));
        std::string twice = request({.number = 4});
        twice.insert(twice.find("To: "), "From: <sip:eve@other.example.com>;tag=1\r\n");
        EXPECT_TRUE(refuses(routed, twice));
        EXPECT_FALSE(refuses(routed, request({.number = 5})));
        EXPECT_TRUE(refuses(routed, request({.from = "sip:alice@other.example.com", .number = 6})));
        EXPECT_TRUE(
            refuses(routed, request({.from = "sip:alice@hq.example.com>, <sip:eve@other.example.com", .number = 7})));
    }
    {
        Routed routed;  // the name is another's after a reload
        EXPECT_FALSE(refuses(routed, request({.number = 1})));
        routed.at.gate.adopt(snapshot_of(routed.at.book, R"(
[[service]]
name = "other.example.com"
protocol = "sip"
target = ["10.0.0.2"]
plain_port = 5060
)"));
        EXPECT_TRUE(refuses(routed, request({.number = 2})));
        EXPECT_EQ(routed.refused(Reason::service_unknown), 1U);
    }
}

TEST(SipWatch, KnowsItsServiceAgainWhicheverOfItsNamesStandsFirst) {
    Routed routed;
    routed.at.gate.adopt(snapshot_of(routed.at.book, R"(
[[service]]
name = ["new.example.com", "hq.example.com"]
protocol = "sip"
target = ["10.0.0.1"]
plain_port = 5060
)"));
    EXPECT_TRUE(routed.from_client(request({})));
    EXPECT_EQ(routed.at_target(), request({}));
    EXPECT_EQ(routed.at_client(), "");
}

TEST(SipWatch, LetsNothingByTheCertificatesLegWithoutIt) {
    for (const bool leg_tls : {true, false}) {
        Routed routed("checked.example.com", leg_tls);
        routed.from_client(request({.from = "sip:bob@checked.example.com"}));
        EXPECT_EQ(routed.at_target().empty(), leg_tls);
        EXPECT_EQ(routed.refused(Reason::cert_name_mismatch), leg_tls ? 1U : 0U);
    }
}

// The leg was chosen by the first request, which asked for nothing.
TEST(SipWatch, LetsNoSipsGoInPlainWhereTheServiceHasTls) {
    struct Case {
        const char* service;
        bool leg_tls;
        bool passes;
        const char* detail;
    };
    const Case cases[] = {
        {"both.example.com", false, false, ""},
        {"both.example.com", true, true, ""},
        {"hq.example.com", false, true, "sips: asks for TLS on each hop, and the leg is plain"},
    };
    for (const Case& c : cases) {
        Routed routed(c.service, c.leg_tls);
        const std::string from = "sips:alice@" + std::string(c.service);
        const std::string asked = request({.from = from});
        EXPECT_TRUE(routed.from_client(asked)) << c.service;
        EXPECT_EQ(routed.at_target(), c.passes ? asked : "") << c.service;
        EXPECT_EQ(status_of_answer(routed.at_client()), c.passes ? "" : "SIP/2.0 480 Temporarily Unavailable");
        EXPECT_EQ(routed.watch->detail(), c.detail) << c.service;
        const std::string later = request({.from = from.substr(0, 3) + from.substr(4), .number = 2});
        EXPECT_TRUE(routed.from_client(later));
        EXPECT_EQ(routed.at_target(), later) << "the connection goes on";
    }
}

// A day of a telephone, minute by minute. The guard would ban for a single sign.
class SipDay : public ::testing::Test {
protected:
    static constexpr int minutes = 24 * 60;

    void exchange(std::string_view fields, const std::string& answer) {
        const std::string asked = request({.method = "REGISTER", .more = fields, .number = number_});
        ASSERT_TRUE(routed_->from_client(asked));
        ASSERT_EQ(routed_->at_target(), asked);
        const std::string answered = "SIP/2.0 " + answer + "CSeq: " + std::to_string(number_) +
                                     " REGISTER\r\nVia: SIP/2.0/TCP 192.0.2.7;branch=z9hG4bK" +
                                     std::to_string(number_) + "\r\nCall-ID: call\r\nContent-Length: 0\r\n\r\n";
        ASSERT_TRUE(routed_->from_target(answered));
        ASSERT_EQ(routed_->at_client(), answered);
        ++number_;
    }
    static std::string challenge(int nonce, std::string_view more = "") {
        return "401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"a\", nonce=\"" + std::to_string(nonce) + "\"" +
               std::string(more) + "\r\n";
    }
    static std::string credentials(int nonce, int count = 1) {
        return "Authorization: Digest username=\"alice\", realm=\"a\", nonce=\"" + std::to_string(nonce) +
               "\", nc=" + std::to_string(count) + ", response=\"" + std::to_string(nonce * 10 + count) + "\"\r\n";
    }
    static std::string ok() { return "200 OK\r\n"; }
    void pass_a_minute() {
        now_ += std::chrono::minutes(1);
        while (auto sign = routed_->at.gate.guard().take()) {
            sign->time = now_;
            table_.suspect(*sign);
            ++signs_;
        }
    }
    void connect_anew() {
        routed_.reset();  // each sees that it leaves nothing behind
        routed_ = std::make_unique<Routed>();
    }
    void expect_nothing_counted() {
        EXPECT_EQ(signs_, 0);
        EXPECT_EQ(table_.window().clients(), 0U);
        EXPECT_EQ(table_.bans(), 0U);
    }

    std::unique_ptr<Routed> routed_ = std::make_unique<Routed>();
    guard::Table table_{"here"};
    SteadyTime now_;
    unsigned number_ = 1;
    int signs_ = 0;

    SipDay() { table_.apply({.suspicious_per_minute = 0}); }
};

TEST_F(SipDay, ATelephoneThatIsChallengedEachTimeIsNeverCounted) {
    for (int minute = 0; minute < minutes; ++minute) {
        exchange("", challenge(minute));
        exchange(credentials(minute), ok());
        pass_a_minute();
    }
    expect_nothing_counted();
}

TEST_F(SipDay, NeitherIsOneThatConnectsForEachRegistration) {
    for (int minute = 0; minute < minutes; ++minute) {
        exchange("", challenge(minute));
        exchange(credentials(minute), ok());
        pass_a_minute();
        connect_anew();
    }
    expect_nothing_counted();
}

// Registrars end a nonce some time, and not all of them say "stale" then.
TEST_F(SipDay, NeitherIsOneThatUsesANonceUntilItIsOld) {
    for (const std::string_view says : {", stale=true", ""}) {
        int nonce = 0;
        exchange("", challenge(nonce));
        exchange(credentials(nonce), ok());
        for (int minute = 1; minute < minutes; ++minute) {
            if (minute % 10 == 0) {
                exchange(credentials(nonce), challenge(nonce + 1, says));
                ++nonce;
            }
            exchange(credentials(nonce), ok());
            pass_a_minute();
        }
        expect_nothing_counted();
    }
}

// Nobody is known by more than a connection remembers: long ones would all be alike.
TEST_F(SipDay, OneThatGuessesBehindLongCredentialsThatWereAcceptedIsCounted) {
    const std::string padding(1000, 'x');
    exchange("Authorization: Digest username=\"alice\", nonce=\"" + padding + "1\"\r\n", ok());
    exchange("Authorization: Digest username=\"bob\", nonce=\"" + padding + "2\"\r\n", challenge(1));
    pass_a_minute();
    EXPECT_EQ(signs_, 1);
}

TEST_F(SipDay, OneThatGuessesIsCountedEachTime) {
    for (int minute = 0; minute < 5; ++minute) {
        exchange(credentials(minute), challenge(minute + 1));
        pass_a_minute();
    }
    EXPECT_EQ(signs_, 5);
}
