// Our own answers: what they copy, what they add, and that they read back.
#include "wire/sip/answer.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sallyport::sip {
namespace {

std::string answer_to(std::string_view request, const Answer& answer) {
    Message message;
    parse_message(as_bytes(request), message);
    std::vector<std::byte> room(max_answer(request.size(), answer));
    ByteWriter out(room);
    write_answer(out, message, answer);
    EXPECT_TRUE(out.ok());
    const std::string written(as_text(out.written()));
    const auto result = parse_message(out.written(), message);
    EXPECT_TRUE(result.complete() && message.is_response()) << written;
    EXPECT_EQ(result.length, written.size()) << written;
    return written;
}

constexpr std::string_view invite =
    "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/TLS first;branch=z9hG4bK1, SIP/2.0/TCP second\r\nMax-Forwards: 70\r\n"
    "v: SIP/2.0/TCP third\r\nf: \"A\"\r\n <sip:a@b>\r\n\t;tag=1\r\nt: <sip:c@d>\r\ni: x@y\r\nCSeq: 7 INVITE\r\nl: "
    "0\r\n\r\n";

TEST(SipAnswer, CopiesWhatRfc3261SaysInItsOrder) {
    EXPECT_EQ(answer_to(invite, {.status = 404, .tag = "t1"}),
              "SIP/2.0 404 Not Found\r\nVia: SIP/2.0/TLS first;branch=z9hG4bK1, SIP/2.0/TCP second\r\n"
              "Via: SIP/2.0/TCP third\r\nFrom: \"A\" <sip:a@b> ;tag=1\r\nTo: <sip:c@d>;tag=t1\r\nCall-ID: x@y\r\n"
              "CSeq: 7 INVITE\r\nContent-Length: 0\r\n\r\n");
}

TEST(SipAnswer, GivesToATagOnlyWhereItHasNone) {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"<sip:c@d>", "<sip:c@d>;tag=t1"},
        {"sip:c@d", "sip:c@d;tag=t1"},
        {"sip:c@d ; x = y", "sip:c@d ; x = y;tag=t1"},
        {"<sip:c@d;tag=u>", "<sip:c@d;tag=u>;tag=t1"},
        {"\";tag=n\" <sip:c@d>", "\";tag=n\" <sip:c@d>;tag=t1"},
        {"<sip:c@d>;tag=2", "<sip:c@d>;tag=2"},
        {"<sip:c@d>;TAG = 2", "<sip:c@d>;TAG = 2"},
        {"\"never closed <sip:c@d>", "\"never closed <sip:c@d>"},
    };
    for (const auto& [to, expected] : cases) {
        const std::string request = "OPTIONS sip:a SIP/2.0\r\nTo: " + std::string(to) + "\r\n\r\n";
        EXPECT_EQ(answer_to(request, {.status = 403, .tag = "t1"}),
                  "SIP/2.0 403 Forbidden\r\nTo: " + std::string(expected) + "\r\nContent-Length: 0\r\n\r\n");
    }
}

TEST(SipAnswer, SaysWhenToComeBackAndWhatWentWrong) {
    const Answer answer = {
        .status = 503, .retry_after = 30, .warning = "no \"target\" \\ for\x01 b", .agent = "203.0.113.10"};
    EXPECT_EQ(answer_to("OPTIONS sip:a SIP/2.0\r\n\r\n", answer),
              "SIP/2.0 503 Service Unavailable\r\nRetry-After: 30\r\n"
              "Warning: 399 203.0.113.10 \"no \\\"target\\\" \\\\ for? b\"\r\nContent-Length: 0\r\n\r\n");
}

TEST(SipAnswer, TellsTheClientWhereItsRequestCameFromInTheTopmostViaAlone) {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"SIP/2.0/TCP h;branch=z", "SIP/2.0/TCP h;branch=z;received=192.0.2.7"},
        {"SIP/2.0/TCP h", "SIP/2.0/TCP h;received=192.0.2.7"},
        {"SIP/2.0/TCP h;rport;branch=z", "SIP/2.0/TCP h;rport=5071;branch=z;received=192.0.2.7"},
        {"SIP/2.0/TCP h ; RPORT ; x = \"y\" , SIP/2.0/TCP i;rport",
         "SIP/2.0/TCP h;RPORT=5071;x=\"y\";received=192.0.2.7, SIP/2.0/TCP i;rport"},
        {"SIP/2.0/TCP h;rport=1;received=198.51.100.1", "SIP/2.0/TCP h;rport=1;received=192.0.2.7"},
        {"SIP/2.0/TCP h;;rport", "SIP/2.0/TCP h;;rport"},
    };
    for (const auto& [via, expected] : cases) {
        const std::string request =
            "OPTIONS sip:a SIP/2.0\r\nVia: " + std::string(via) + "\r\nv: SIP/2.0/TCP j;rport\r\n\r\n";
        EXPECT_EQ(answer_to(request, {.client = SocketAddress::parse("192.0.2.7:5071")}),
                  "SIP/2.0 400 Bad Request\r\nVia: " + std::string(expected) +
                      "\r\nVia: SIP/2.0/TCP j;rport\r\nContent-Length: 0\r\n\r\n");
    }
    EXPECT_EQ(answer_to("OPTIONS sip:a SIP/2.0\r\nv: SIP/2.0/TCP h\r\n\r\n",
                        {.client = SocketAddress::parse("[2001:db8::7]:5071")}),
              "SIP/2.0 400 Bad Request\r\nVia: SIP/2.0/TCP h;received=[2001:db8::7]\r\nContent-Length: 0\r\n\r\n");
}

TEST(SipAnswer, IsMadeOfWhatARefusedRequestLeft) {
    EXPECT_EQ(answer_to("OPTIONS sip:a SIP/7.0\r\nVia: SIP/7.0/TCP h\r\nCall-ID: x\r\nl: 0\r\n\r\n", {.status = 505}),
              "SIP/2.0 505 Version Not Supported\r\nVia: SIP/7.0/TCP h\r\nCall-ID: x\r\nContent-Length: 0\r\n\r\n");
}

TEST(SipAnswer, IsNotForAckNorForAResponse) {
    const std::pair<std::string_view, bool> cases[] = {
        {"INVITE sip:a SIP/2.0\r\n\r\n", true}, {"CANCEL sip:a SIP/2.0\r\n\r\n", true},
        {"ACK sip:a SIP/2.0\r\n\r\n", false},   {"SIP/2.0 200 OK\r\n\r\n", false},
        {"GET / HTTP/1.1\r\n\r\n", false},      {"nonsense", false},
    };
    for (const auto& [head, wanted] : cases) {
        Message message;
        parse_message(as_bytes(head), message);
        EXPECT_EQ(wants_answer(message), wanted) << head;
    }
}

}  // namespace
}  // namespace sallyport::sip
