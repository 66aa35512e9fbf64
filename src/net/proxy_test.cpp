#include "net/proxy.hpp"

#include <gtest/gtest.h>

#include <string>

using namespace sallyport;
using namespace sallyport::net;
using config::ProxyUrl;

namespace {

using namespace std::string_literals;

const ProxyUrl open_one{ProxyUrl::Kind::http, "proxy", 3128, "", ""};
const ProxyUrl guarded{ProxyUrl::Kind::socks5, "proxy", 1080, "user", "pass"};

std::string say(const ProxyAnswer& answer) {
    if (answer.state == ProxyAnswer::State::need_more) return "more";
    if (answer.state == ProxyAnswer::State::good) return "good " + std::to_string(answer.length);
    return "! " + answer.detail;
}

// Every beginning asks for more, the whole says the answer.
template <class Read>
void expect_answer(const std::string& whole, const std::string& wanted, Read read) {
    for (std::size_t n = 0; n < whole.size(); ++n)
        EXPECT_EQ(say(read(as_bytes(std::string_view(whole).substr(0, n)))), "more") << n;
    EXPECT_EQ(say(read(as_bytes(whole))), wanted);
}

}  // namespace

TEST(Proxy, AsksToConnect) {
    const ProxyTarget name{"7-courier.push.apple.com", 5223};
    EXPECT_EQ(connect_request(open_one, name),
              "CONNECT 7-courier.push.apple.com:5223 HTTP/1.1\r\nHost: 7-courier.push.apple.com:5223\r\n\r\n");
    EXPECT_EQ(connect_request(guarded, {*IpAddress::parse("2001:db8::1"), 443}),
              "CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: [2001:db8::1]:443\r\n"
              "Proxy-Authorization: Basic dXNlcjpwYXNz\r\n\r\n");
}

TEST(Proxy, TakesNoMoreThanTheHeadOfTheAnswer) {
    expect_answer("HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n", "good 47", read_connect_answer);
    EXPECT_EQ(say(read_connect_answer(as_bytes("HTTP/1.0 200 OK\r\n\r\n\x16\x03\x03"))), "good 19");
    EXPECT_EQ(say(read_connect_answer(as_bytes("HTTP/1.1 407 Who are you\r\n\r\n"))),
              "! it answers \"HTTP/1.1 407 Who are you\"");
    EXPECT_EQ(say(read_connect_answer(as_bytes("HTTP/1.1 2xx\r\n\r\n"))), "! it answers \"HTTP/1.1 2xx\"");
    EXPECT_EQ(say(read_connect_answer(as_bytes("HTTP/1.1\r\n\r\n"))), "! it answers \"HTTP/1.1\"");
    EXPECT_EQ(say(read_connect_answer(as_bytes("\x16\x03\x03"))), "! it answers what is no HTTP");
    EXPECT_EQ(say(read_connect_answer(as_bytes("HTTP/1.1 200 " + std::string(16'384, 'x')))),
              "! its answer has no end");
}

TEST(Proxy, SpeaksSocks5) {
    EXPECT_EQ(socks5_greeting({ProxyUrl::Kind::socks5, "proxy", 1080, "", ""}), "\x05\x01\x00"s);
    EXPECT_EQ(socks5_greeting(guarded), "\x05\x02\x00\x02"s);
    EXPECT_EQ(socks5_login(guarded), "\x01\x04user\x04pass"s);
    EXPECT_EQ(socks5_request({"a.example", 5223}), "\x05\x01\x00\x03\x09"s + "a.example" + "\x14\x67"s);
    EXPECT_EQ(socks5_request({*IpAddress::parse("17.1.2.3"), 443}), "\x05\x01\x00\x01\x11\x01\x02\x03\x01\xbb"s);
    EXPECT_EQ(socks5_request({*IpAddress::parse("::1"), 1}).size(), 22U);
}

TEST(Proxy, ReadsWhatSocks5Answers) {
    bool wants_login = true;
    const auto method = [&](Bytes bytes) { return read_socks5_method(bytes, wants_login); };
    expect_answer("\x05\x00"s, "good 2", method);
    EXPECT_FALSE(wants_login);
    expect_answer("\x05\x02"s, "good 2", method);
    EXPECT_TRUE(wants_login);
    expect_answer("\x05\xff"s, "! it takes none of our ways to log in", method);
    EXPECT_EQ(say(method(as_bytes("HTTP"))), "! it does not speak SOCKS5");
    expect_answer("\x01\x00"s, "good 2", read_socks5_login);
    expect_answer("\x01\x01"s, "! it takes no such user and password", read_socks5_login);
    expect_answer("\x05\x00\x00\x01\x01\x02\x03\x04\x00\x50"s, "good 10", read_socks5_reply);
    expect_answer("\x05\x00\x00\x04"s + std::string(16, 'x') + "\x00\x50"s, "good 22", read_socks5_reply);
    expect_answer("\x05\x00\x00\x03\x03"s + "abc" + "\x00\x50"s, "good 10", read_socks5_reply);
    expect_answer("\x05\x05"s, "! the connection was refused", read_socks5_reply);
    expect_answer("\x05\x77"s, "! it refuses with 119", read_socks5_reply);
    expect_answer("\x05\x00\x00\x07"s, "! its reply is none", read_socks5_reply);
}
