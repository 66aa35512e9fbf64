// How fast the heads of messages are read, each by itself: of sizes as browsers, telephones and directories send them.
#include "wire/ber/testing.hpp"
#include "wire/http/head.hpp"
#include "wire/ldap/message.hpp"
#include "wire/ldap/stepper.hpp"
#include "wire/sip/message.hpp"
#include "wire/sip/stepper.hpp"

#include <benchmark/benchmark.h>

#include <string>

using namespace sallyport;

namespace {

void count_bytes(benchmark::State& state, const std::string& text) {
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
    state.counters["bytes"] = static_cast<double>(text.size());
}

// HTTP

const std::string browser_request =
    "GET /apps/innovaphone-reporting/mypbx?user=alice HTTP/1.1\r\nHost: hq.example.com\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 "
    "Safari/537.36\r\nAccept: text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8\r\n"
    "Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br\r\n"
    "Cookie: session=0123456789abcdef0123456789abcdef\r\nConnection: keep-alive\r\n\r\n";

void http_request(benchmark::State& state) {
    http::RequestHead head;
    for (auto _ : state) benchmark::DoNotOptimize(parse_request(as_bytes(browser_request), head));
    count_bytes(state, browser_request);
}
BENCHMARK(http_request);

// SIP

const std::string sip_options =
    "OPTIONS sip:hq.example.com SIP/2.0\r\n"
    "Via: SIP/2.0/TCP 192.0.2.17:5060;branch=z9hG4bK-52f0c1-00004711;rport\r\n"
    "From: \"Phone 17\" <sip:phone-17@hq.example.com>;tag=9fxced76sl4711\r\nTo: <sip:hq.example.com>\r\n"
    "Call-ID: 3848276298220188511-4711@192.0.2.17\r\nCSeq: 4711 OPTIONS\r\n"
    "Contact: <sip:phone-17@192.0.2.17:5060;transport=tcp>\r\nMax-Forwards: 70\r\nUser-Agent: ExamplePhone/4.2\r\n"
    "Accept: application/sdp\r\n"
    "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, MESSAGE, SUBSCRIBE, INFO\r\n"
    "Supported: replaces, timer, outbound, path\r\nContent-Length: 0\r\n\r\n";

const std::string sip_register =
    "REGISTER sip:hq.example.com SIP/2.0\r\n"
    "Via: SIP/2.0/TLS 192.0.2.17:49152;branch=z9hG4bK776asdhds;rport;alias\r\n"
    "Max-Forwards: 70\r\nFrom: \"Anna Meier\" <sip:anna.meier@hq.example.com>;tag=a73kszlfl\r\n"
    "To: \"Anna Meier\" <sip:anna.meier@hq.example.com>\r\nCall-ID: 1j9FpLxk3uxtm8tn-9b1c@192.0.2.17\r\n"
    "CSeq: 2 REGISTER\r\n"
    "Contact: <sip:anna.meier@192.0.2.17:49152;transport=tls;ob>;reg-id=1;"
    "+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000A95A0E128>\";expires=600\r\n"
    "Authorization: Digest username=\"anna.meier\", realm=\"hq.example.com\", "
    "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"sip:hq.example.com\", "
    "response=\"6629fae49393a05397450978507c4ef1\", algorithm=MD5, cnonce=\"0a4f113b\", "
    "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\", qop=auth, nc=00000001\r\n"
    "Supported: path, outbound, gruu\r\nAllow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, MESSAGE, SUBSCRIBE\r\n"
    "User-Agent: ExamplePhone/4.2 (0090331a2b3c)\r\nExpires: 600\r\nContent-Length: 0\r\n\r\n";

const std::string session_description =
    "v=0\r\no=anna 2890844526 2890844526 IN IP4 192.0.2.17\r\ns=-\r\nc=IN IP4 192.0.2.17\r\nt=0 0\r\n"
    "m=audio 49172 RTP/AVP 9 8 0 18 101\r\na=rtpmap:9 G722/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"
    "a=rtpmap:18 G729/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n";

const std::string sip_invite =
    "INVITE sip:+4970317300917@hq.example.com;user=phone SIP/2.0\r\n"
    "Via: SIP/2.0/TCP 198.51.100.4:5060;branch=z9hG4bKnashds8-2c1b;rport\r\n"
    "Via: SIP/2.0/TCP 192.0.2.17:49152;branch=z9hG4bK776asdhdt;received=203.0.113.5;rport=49152\r\n"
    "Record-Route: <sip:198.51.100.4;transport=tcp;lr;ftag=1928301774>\r\nMax-Forwards: 69\r\n"
    "From: \"Anna Meier\" <sip:anna.meier@hq.example.com>;tag=1928301774\r\n"
    "To: <sip:+4970317300917@hq.example.com;user=phone>\r\nCall-ID: a84b4c76e66710-77@192.0.2.17\r\n"
    "CSeq: 314159 INVITE\r\nContact: <sip:anna.meier@192.0.2.17:49152;transport=tcp;ob>\r\n"
    "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, MESSAGE, SUBSCRIBE, INFO, PRACK, UPDATE\r\n"
    "Supported: replaces, timer, 100rel, norefersub, outbound\r\nSession-Expires: 1800\r\nMin-SE: 90\r\n"
    "P-Preferred-Identity: \"Anna Meier\" <sip:anna.meier@hq.example.com>\r\n"
    "User-Agent: ExamplePhone/4.2 (0090331a2b3c)\r\nContent-Type: application/sdp\r\nContent-Length: " +
    std::to_string(session_description.size()) + "\r\n\r\n";

void sip_head(benchmark::State& state, const std::string& text) {
    sip::Message message;
    for (auto _ : state) {
        const auto result = parse_message(as_bytes(text), message);
        if (!result.complete()) return state.SkipWithError("the head is not read");
        benchmark::DoNotOptimize(message);
    }
    count_bytes(state, text);
}
BENCHMARK_CAPTURE(sip_head, options, sip_options);
BENCHMARK_CAPTURE(sip_head, register_with_digest, sip_register);
BENCHMARK_CAPTURE(sip_head, invite, sip_invite);

// As the watch does, with the body.
void sip_stepper(benchmark::State& state, const std::string& text) {
    sip::MessageStepper stepper(sip::MessageStepper::Sender::client);
    sip::Message message;
    for (auto _ : state) {
        for (Bytes rest = as_bytes(text); !rest.empty();) rest = rest.subspan(stepper.next(rest, message).consumed);
        benchmark::DoNotOptimize(message);
    }
    count_bytes(state, text);
}
BENCHMARK_CAPTURE(sip_stepper, invite_with_sdp, sip_invite + session_description);

// LDAP

namespace encode = ber::testing;

std::string message(unsigned op, const std::string& contents) {
    return encode::tlv(0x30, encode::integer(4711) + encode::tlv(op, contents));
}
std::string string(std::string_view value) { return encode::tlv(0x04, value); }

const std::string ldap_bind =
    message(0x60, encode::integer(3) + string("cn=ldap-guest,ou=people,dc=hq,dc=example,dc=com") +
                      encode::tlv(0x80, "a password of a service"));

const std::string ldap_search = message(
    0x63, string("dc=hq,dc=example,dc=com") + encode::integer(2, 0x0A) + encode::integer(0, 0x0A) +
              encode::integer(32) + encode::integer(0) + encode::tlv(0x01, std::string(1, '\0')) +
              encode::tlv(0xA1, encode::tlv(0xA3, string("telephoneNumber") + string("+4970317300917")) +
                                    encode::tlv(0xA4, string("cn") + encode::tlv(0x30, encode::tlv(0x80, "mei")))) +
              encode::tlv(0x30, string("cn") + string("sn") + string("givenName") + string("telephoneNumber") +
                                    string("mobile") + string("description")));

std::string entry_with(std::size_t photo) {
    const auto attribute = [](const char* type, const std::string& value) {
        return encode::tlv(0x30, string(type) + encode::tlv(0x31, string(value)));
    };
    return message(
        0x64, string("cn=Meier Anna,ou=people,dc=hq,dc=example,dc=com") +
                  encode::tlv(
                      0x30, attribute("cn", "Meier Anna") + attribute("sn", "Meier") + attribute("givenName", "Anna") +
                                attribute("telephoneNumber", "+4970317300917") + attribute("mobile", "+491700000017") +
                                attribute("jpegPhoto", std::string(photo, 'j'))));
}

void ldap_message(benchmark::State& state, ldap::Sender sender, const std::string& text) {
    ldap::MessageHead head;
    for (auto _ : state) {
        const auto result = read_message_head(as_bytes(text), sender, head);
        if (result.state != ldap::MessageResult::State::complete) return state.SkipWithError("the message is not read");
        benchmark::DoNotOptimize(head);
    }
    count_bytes(state, text);
}
BENCHMARK_CAPTURE(ldap_message, bind, ldap::Sender::client, ldap_bind);
BENCHMARK_CAPTURE(ldap_message, search, ldap::Sender::client, ldap_search);
BENCHMARK_CAPTURE(ldap_message, large_entry, ldap::Sender::server, entry_with(20'000));

// As the watch does: a stream of answers, of which none is looked at.
void ldap_stepper(benchmark::State& state) {
    std::string text;
    while (text.size() < std::size_t{64} * 1024) text += entry_with(100);
    ldap::MessageStepper stepper(ldap::Sender::server);
    for (auto _ : state) {
        for (Bytes rest = as_bytes(text); !rest.empty();) {
            const auto step = stepper.next(rest);
            benchmark::DoNotOptimize(step);
            rest = rest.subspan(step.consumed);
        }
    }
    count_bytes(state, text);
}
BENCHMARK(ldap_stepper);

}  // namespace

BENCHMARK_MAIN();
