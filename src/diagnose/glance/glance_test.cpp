#include "diagnose/glance/certificate.hpp"
#include "diagnose/glance/dns.hpp"
#include "diagnose/glance/dns_stream.hpp"
#include "diagnose/glance/h245.hpp"
#include "diagnose/glance/refusal.hpp"
#include "diagnose/glance/rtp.hpp"
#include "diagnose/glance/sdp.hpp"
#include "diagnose/glance/stun.hpp"
#include "diagnose/glance/tls_records.hpp"
#include "diagnose/identity.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sallyport::diagnose {
namespace {

using namespace std::string_literals;

const std::string query = "\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x03www\x07"s + "Example\0\0\x01\0\x01"s;

TEST(DnsGlance, ReadsQuestionsAndAddressesAndNothingElse) {
    const auto asked = glance_dns(as_bytes(query));
    ASSERT_TRUE(asked);
    EXPECT_EQ(asked->name, "www.example");
    EXPECT_FALSE(asked->response);
    std::string answer =
        query + "\xC0\x0C\0\x05\0\x01\0\0\0\x1E\0\x02\xC0\x0C"s + "\xC0\x0C\0\x01\0\x01\0\0\0\x1E\0\x04\x0A\0\0\x01"s;
    answer[2] = '\x81';
    answer[7] = '\x02';
    const auto answered = glance_dns(as_bytes(answer));
    ASSERT_TRUE(answered && answered->response);
    ASSERT_EQ(answered->addresses.size(), 1U);
    EXPECT_EQ(answered->addresses[0].to_string(), "10.0.0.1");
    for (std::size_t size = 0; size < query.size(); ++size) EXPECT_FALSE(glance_dns(as_bytes(query).first(size)));
    std::string pointer = query;
    pointer[12] = '\xC0';
    EXPECT_FALSE(glance_dns(as_bytes(pointer)));  // a question is never compressed
    std::string odd = query;
    odd[13] = '\n';
    EXPECT_EQ(glance_dns(as_bytes(odd))->name, "\\010ww.example");
}

TEST(StunGlance, ReadsMappedAddressesOfBothForms) {
    // RFC 5769 sections 2.2 and 2.3 hold these addresses.
    const std::string head = "\x01\x01\0\x0C\x21\x12\xA4\x42"s + "\xB7\xE7\xA7\x01\xBC\x34\xD6\x86\xFA\x87\xDF\xAE"s;
    const auto v4 = glance_stun(as_bytes(head + "\0\x20\0\x08\0\x01\xA1\x47\xE1\x12\xA6\x43"s));
    ASSERT_TRUE(v4 && v4->mapped);
    EXPECT_EQ(v4->mapped->to_string(), "192.0.2.1:32853");
    const auto v6 = glance_stun(as_bytes(head + "\0\x20\0\x14\0\x02\xA1\x47"s +
                                         "\x01\x13\xA9\xFA\xA5\xD3\xF1\x79\xBC\x25\xF4\xB5\xBE\xD2\xB9\xD9"s));
    ASSERT_TRUE(v6 && v6->mapped);
    EXPECT_EQ(v6->mapped->to_string(), "[2001:db8:1234:5678:11:2233:4455:6677]:32853");
    EXPECT_FALSE(glance_stun(as_bytes(head).first(19)));
}

TEST(SdpGlance, TakesTheAddressOfEachStream) {
    const auto media = media_of(
        "v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0\r\nm=video 4002/2 RTP/AVP 96\r\nc=IN IP4 10.0.0.1/127\r\n"
        "m=text 0 RTP/AVP 98\r\n");
    ASSERT_EQ(media.size(), 2U);
    EXPECT_EQ(media[0].to_string(), "192.0.2.1:4000");
    EXPECT_EQ(media[1].to_string(), "10.0.0.1:4002");
    EXPECT_TRUE(media_of("m=audio\nc=IN IP4\n\n\n").empty());
    EXPECT_TRUE(is_private(*IpAddress::parse("100.64.1.1")));
    EXPECT_FALSE(is_private(*IpAddress::parse("172.32.0.1")));
}

TEST(SdpGlance, TakesTheAddressesOfCandidates) {
    const auto candidates = candidates_of(
        "a=candidate:1 1 udp 2130706431 10.0.0.1 4000 typ host\r\na=candidate:2 1 UDP 1694498815 192.0.2.3 45664 typ "
        "srflx "
        "raddr 10.0.0.1 rport 4000\na=candidate:3 1 tcp 1 10.0.0.1 9 typ host tcptype active\n"
        "a=candidate:4 1 udp 1 4f3a.local 4002 typ host\na=candidate:5 1 udp 1 fd00::1 0 typ host\na=candidate:\n");
    ASSERT_EQ(candidates.size(), 2U);
    EXPECT_EQ(candidates[0].to_string(), "10.0.0.1:4000");
    EXPECT_EQ(candidates[1].to_string(), "192.0.2.3:45664");
}

TEST(H245Glance, FindsPrivateAddressesWhereverTheyStand) {
    const std::string address = "\x0A\x09\0\x02\x40\x10"s;  // 10.9.0.2:16400
    const std::string outside = "\xC0\0\x02\x01\x40\x10"s;
    const std::string low = "\x0A\x09\0\x02\0\x50"s;
    const auto found = private_addresses_of(as_bytes("\x03\0\0\x20 x"s + outside + address + low + "y" + address));
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].to_string(), "10.9.0.2:16400");
    EXPECT_TRUE(private_addresses_of(as_bytes("\x03\x01\0\x20"s + address)).empty());
    EXPECT_TRUE(private_addresses_of(as_bytes("\x03\0\0\x20"s + address.substr(0, 5))).empty());
    std::string many = "\x03\0\0\x20"s;
    for (int i = 0; i < 1000; ++i) many += address;
    EXPECT_EQ(private_addresses_of(as_bytes(many)).size(), max_addresses_of_segment);
}

TEST(RtpGlance, TellsRtpFromRtcpAndStun) {
    const std::string rtp = "\x80\x80\0\x01\0\0\0\x02\0\0\0\x03"s;
    ASSERT_TRUE(glance_rtp(as_bytes(rtp)));
    EXPECT_EQ(glance_rtp(as_bytes(rtp))->source, 3U);
    EXPECT_FALSE(glance_rtp(as_bytes("\x80\xC8\0\x06\0\0\0\x02\0\0\0\x03"s)));  // a sender report
    EXPECT_FALSE(glance_rtp(as_bytes("\0\x01\0\0\x21\x12\xA4\x42\0\0\0\0"s)));
}

TEST(TlsRecordsGlance, FindsAnAlertInAnyPiecesAndNoneBehindEncryption) {
    const std::string clear = "\x16\x03\x03\0\x05\x02\0\0\x01x\x15\x03\x03\0\x02\x02\x46"s;
    const std::string encrypted = "\x14\x03\x03\0\x01\x01\x15\x03\x03\0\x02\x02\x46"s;
    for (std::size_t piece = 1; piece <= clear.size(); ++piece) {
        TlsRecords records;
        TlsMessages messages;
        std::optional<TlsAlert> found;
        for (Bytes rest = as_bytes(clear); !rest.empty(); rest = rest.subspan(std::min(piece, rest.size()))) {
            if (const auto alert = records.feed(rest.first(std::min(piece, rest.size())), messages)) found = alert;
        }
        ASSERT_TRUE(found) << piece;
        EXPECT_EQ(alert_name(found->description), "protocol_version");
        EXPECT_TRUE(messages.next());  // the ServerHello is whole
    }
    TlsRecords records;
    TlsMessages messages;
    EXPECT_FALSE(records.feed(as_bytes(encrypted), messages));
    EXPECT_TRUE(records.encrypted());
}

TEST(DnsStream, GivesTheBeginningOfEachMessageInWhateverPieces) {
    const std::string stream = "\0\x03one\0\0\0\x05"s + "three\x10\0"s + std::string(4096, 'x') + "\0\x04last"s;
    for (std::size_t piece = 1; piece <= stream.size(); piece = piece * 2 + 1) {
        SCOPED_TRACE(piece);
        DnsStream messages;
        std::vector<std::string> got;
        for (Bytes rest = as_bytes(stream); !rest.empty(); rest = rest.subspan(std::min(piece, rest.size()))) {
            messages.feed(rest.first(std::min(piece, rest.size())),
                          [&](Bytes message) { got.emplace_back(as_text(message)); });
        }
        ASSERT_EQ(got.size(), 5U);
        EXPECT_EQ(got[0], "one");
        EXPECT_EQ(got[1], "");
        EXPECT_EQ(got[2], "three");
        EXPECT_EQ(got[3], std::string(kept_message, 'x'));
        EXPECT_EQ(got[4], "last");
    }
}

TEST(TlsMessages, FindTheFirstCertificateAndKeepNothingTooLarge) {
    TlsMessages messages;
    messages.feed(as_bytes("\x02\0\0\x02hi"s + "\x0B\0\0\x0C\0\0\x09\0\0\x03"s));
    EXPECT_FALSE(messages.certificate());
    EXPECT_TRUE(messages.next());
    EXPECT_FALSE(messages.certificate());  // not whole
    messages.feed(as_bytes("der\0\0\0"));
    ASSERT_TRUE(messages.certificate());
    EXPECT_EQ(as_text(*messages.certificate()), "der");
    TlsMessages none;
    none.feed(as_bytes("\x0B\0\0\x03\0\0\0\x0E\0\0\0"s));  // of a client that has none
    EXPECT_FALSE(none.certificate());
    EXPECT_TRUE(none.next());
    none.feed(as_bytes(std::string(max_handshake_bytes, 'x')));
    EXPECT_TRUE(none.stopped());
}

TEST(CertificateGlance, ReadsNamesAndNothingThatIsCutOrLies) {
    const auto name = [](const std::string& common) {
        const std::string pair = "\x06\x03\x55\x04\x03\x0C" + std::string(1, static_cast<char>(common.size())) + common;
        const std::string sequence = "\x30" + std::string(1, static_cast<char>(pair.size())) + pair;
        const std::string set = "\x31" + std::string(1, static_cast<char>(sequence.size())) + sequence;
        return "\x30" + std::string(1, static_cast<char>(set.size())) + set;
    };
    const std::string inside = "\xA0\x03\x02\x01\x02\x02\x01\x07\x30\0"s + name("CA") + "\x30\0"s + name("host");
    const std::string body = "\x30" + std::string(1, static_cast<char>(inside.size())) + inside;
    const std::string whole = "\x30" + std::string(1, static_cast<char>(body.size())) + body;
    const auto read = glance_certificate(as_bytes(whole));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->issuer, "CA");
    EXPECT_EQ(read->subject, "host");
    EXPECT_FALSE(read->self_issued);
    for (std::size_t size = 0; size < whole.size(); ++size)
        EXPECT_FALSE(glance_certificate(as_bytes(whole).first(size)));
}

TEST(RefusalGlance, ReadsSipLdapAndH225AndLeavesEverydayAnswersAlone) {
    struct Case {
        const char* name;
        std::string payload;
        int code;  // 0: none
        bool serious;
    };
    const std::string fields = "Via: SIP/2.0/UDP a;branch=z9hG4bK1\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n";
    const Case cases[] = {
        {"forbidden", "SIP/2.0 403 Forbidden\r\n" + fields, 403, true},
        {"not found", "SIP/2.0 404 Not Found\r\n" + fields, 404, false},
        {"a challenge", "SIP/2.0 401 Unauthorized\r\n" + fields, 0, false},
        {"fine", "SIP/2.0 200 OK\r\n" + fields, 0, false},
        {"invalid credentials", "\x30\x0C\x02\x01\x01\x61\x07\x0A\x01\x31\x04\0\x04\0"s, 49, true},
        {"bound", "\x30\x0C\x02\x01\x01\x61\x07\x0A\x01\0\x04\0\x04\0"s, 0, false},
        {"call rejected", "\x03\0\0\x0D\x08\x02\0\x01\x5A\x08\x02\x80\x95"s, 21, true},
        {"normal clearing", "\x03\0\0\x0D\x08\x02\0\x01\x5A\x08\x02\x80\x90"s, 0, false},
        {"something else", "\x03 and some text", 0, false},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        const auto refusal = glance_refusal(as_bytes(c.payload));
        EXPECT_EQ(refusal ? refusal->code : 0, c.code);
        EXPECT_EQ(refusal && refusal->serious, c.serious);
    }
}

TEST(Identity, IsWhatAClientSaysOfItselfInClear) {
    struct Case {
        const char* payload;
        const char* kind;  // empty: none
        const char* value;
    };
    const Case cases[] = {
        {"CONNECT token=ipad-0001\r\n", "token", "ipad-0001"},
        {"GET /?device=abcd&x=1 HTTP/1.1\r\n\r\n", "device", "abcd"},
        {"GET / HTTP/1.1\r\ncookie: a=b; c=d\r\n\r\n", "Cookie", "a=b; c=d"},
        {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "", ""},
        {"token=a", "", ""},  // too short to say who
        {"GET / HTTP/1.1\r\nAuthorization: Basic YWxpY2U6eA==\r\n\r\n", "Authorization", "Basic YWxpY2U6eA=="},
        {"REGISTER sip:a.example SIP/2.0\r\nAuthorization: Digest nonce=\"1\", response=\"2\"\r\nCall-ID: 77@a\r\n\r\n",
         "Call-ID", "77@a"},  // the answer to a challenge is another one each time
        {"\x16\x03\x01 token=ipad-0001", "", ""},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.payload);
        const auto identity = find_identity(as_bytes(c.payload));
        EXPECT_EQ(identity ? identity->kind : "", c.kind);
        EXPECT_EQ(identity ? identity->value : "", c.value);
    }
}

}  // namespace
}  // namespace sallyport::diagnose
