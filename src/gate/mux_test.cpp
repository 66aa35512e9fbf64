// Whose first bytes are these? Every pair of protocols that could be confused, and every beginning of each.
#include "gate/mux.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

using namespace sallyport;
using namespace sallyport::gate;
using namespace std::string_view_literals;

namespace {

std::string told_by(std::string_view first) {
    const mux::Told told = mux::tell(as_bytes(first), true);
    if (told.is_turn) return "turn";
    if (told.dialect != nullptr) return std::string(config::to_string(told.dialect->word));
    return told.undecided ? "more" : "nobody";
}

struct Case {
    std::string_view first;
    std::string_view whose;
};

// What begins so is told in time, and by no beginning of it as anything else.
constexpr Case protocols[] = {
    {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "http"},
    {"get / HTTP/1.1\r\n", "http"},
    {"\r\nGET / HTTP/1.1\r\n", "http"},
    {"OPTIONS * HTTP/1.1\r\n", "http"},
    {"OPTIONS /x HTTP/1.1\r\n", "http"},
    {"OPTIONS http://a/ HTTP/1.1\r\n", "http"},
    {"GET https://a/ HTTP/1.1\r\n", "http"},
    {"CONNECT a:443 HTTP/1.1\r\n", "http"},
    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "http"},
    {"VERSION-CONTROL /a HTTP/1.1\r\n", "http"},
    {"OPTIONS sip:a@b SIP/2.0\r\n", "sip"},
    {"OPTIONS sips:a@b SIP/2.0\r\n", "sip"},
    {"REGISTER sip:b SIP/2.0\r\n", "sip"},
    {"INVITE tel:+4319 SIP/2.0\r\n", "sip"},
    {"SUBSCRIBE pres:a@b SIP/2.0\r\n", "sip"},
    {"MESSAGE urn:service:sos SIP/2.0\r\n", "sip"},
    {"NOTIFY HTTPX:a SIP/2.0\r\n", "sip"},
    {"SIP/2.0 200 OK\r\n", "sip"},
    {"\r\n\r\n", "sip"},
    {"\r\n\r\nREGISTER sip:b SIP/2.0\r\n", "sip"},
    {"\r\nREGISTER sip:b SIP/2.0\r\n", "sip"},
    {"\x30\x0C\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00"sv, "ldap"},
    {"\x30\x84\x00\x00\x00\x0C\x02\x01\x01\x60"sv, "ldap"},
    {"\x30\x81\x80\x02\x01\x01\x63"sv, "ldap"},
    {"\x03\x00\x00\x8E\x08\x02\x00\x00\x62"sv, "h323"},
    {"\x03\xFF\x00\x8E\x08\x00"sv, "h323"},
    {"\x03\x00\x00\x04"sv, "h323"},  // keep-alives
    {"\x00\x03\x00\x04"sv, "h323"},
    {"\x00\x01\x00\x00\x21\x12\xA4\x42"sv, "turn"},
    {"\x00\x03\x00\x24\x21\x12\xA4\x42"sv, "turn"},
    {"\x00\x0B\x00\x5C\x21\x12\xA4\x42"sv, "turn"},
    {"0\x1D\x02\x01\x01w\x18\x80"sv, "ldap"},  // StartTLS: 0x30 is the digit zero
};

constexpr Case nobodys[] = {
    {"\x00\x00"sv, "nobody"},
    {"\x00\x03\x00\x05"sv, "nobody"},
    {"\x03\x00\x00\x13\x0E\xE0"sv, "nobody"},  // RDP has TPKTs too
    {"\x03\x00\x00\x03"sv, "nobody"},
    {"\xFF\xFB"sv, "nobody"},
    {"\x00\x01\x00\x00\x21\x12\xA4\x43"sv, "nobody"},  // another cookie
    {"\x00\x01\x00\x02"sv, "nobody"},                  // not in whole words
    {"\x01\x01\x00\x0C\x21\x12\xA4\x42"sv, "nobody"},  // a response
    {"\x00\x11\x00\x00\x21\x12\xA4\x42"sv, "nobody"},  // an indication
    {"\n", "nobody"},
    {"\rx", "nobody"},
    {" GET", "nobody"},
    {"SSH-2.0-OpenSSH_9.2\r\n", "nobody"},
    {"220 mail ESMTP\r\n", "nobody"},
    {"HELO a\r\n", "nobody"},
    {"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", "nobody"},
    {"\r\n\r\n\0"sv.substr(0, 1), "more"},
    {"HTTP/1.1 200 OK\r\n", "nobody"},
    {"GET http", "more"},
    {"GET httpx:", "sip"},  // a scheme that only SIP could mean
    {"GET \t/", "nobody"},
    {"GET  / HTTP/1.1", "nobody"},
    {"A-WORD-THAT-IS-LONGER-THAN-ANY-METHOD", "nobody"},
    {"\x30\x80\x02\x01"sv, "nobody"},              // indefinite length
    {"\x30\x85\x00\x00\x00\x00\x0C\x02"sv, "nobody"},  // five octets of length
    {"\x30\x0C\x04\x01"sv, "nobody"},
    {"\x31\x0C\x02\x01"sv, "nobody"},
};

}  // namespace

TEST(Mux, TellsEachProtocolByItsFirstBytes) {
    for (const Case& c : protocols) EXPECT_EQ(told_by(c.first), c.whose) << c.first;
}

TEST(Mux, TakesNoBeginningForAnotherProtocol) {
    for (const Case& c : protocols) {
        for (std::size_t size = 1; size < c.first.size(); ++size) {
            const std::string told = told_by(c.first.substr(0, size));
            EXPECT_TRUE(told == "more" || told == c.whose) << size << " bytes of " << c.first << ": " << told;
        }
    }
}

TEST(Mux, StaysWithItsAnswerWhenMoreComes) {
    for (const Case& c : protocols) {
        bool told = false;
        for (std::size_t size = 1; size <= c.first.size(); ++size) {
            const bool now = told_by(c.first.substr(0, size)) != "more";
            EXPECT_TRUE(now || !told) << size << " bytes of " << c.first;
            told = told || now;
        }
    }
}

TEST(Mux, SaysWhenNobodyBeginsSo) {
    for (const Case& c : nobodys) EXPECT_EQ(told_by(c.first), c.whose) << c.first;
}

TEST(Mux, TakesNoTurnWhereThereIsNone) {
    const mux::Told told = mux::tell(as_bytes("\x00\x01\x00\x00\x21\x12\xA4\x42"sv), false);
    EXPECT_FALSE(told.is_known());
    EXPECT_FALSE(told.undecided);
}

// Two dialects that are both sure of one beginning would make the table's order matter.
TEST(Mux, LeavesNoBeginningToTwo) {
    std::string first(3, '\0');
    for (int a = 0; a < 256; ++a) {
        for (int b = 0; b < 256; ++b) {
            for (const char c : {'\x02', ' ', '/', '\r', '\n', ':', 'A'}) {
                first = {static_cast<char>(a), static_cast<char>(b), c};
                int sure = 0;
                for (const Dialect& dialect : dialects())
                    sure += dialect.recognize(as_bytes(first)) == Recognized::yes ? 1 : 0;
                EXPECT_LE(sure, 1) << a << ' ' << b << ' ' << static_cast<int>(c);
            }
        }
    }
}
