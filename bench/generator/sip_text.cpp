#include "generator/sip_text.hpp"

#include "generator/numbered.hpp"

namespace sallyport::bench {

namespace {

// The fields that an answer repeats (RFC 3261 section 8.2.6.2).
std::string transaction(std::string_view domain, std::string_view to_tag) {
    const std::string number(Numbered::place), name(domain);
    return "Via: SIP/2.0/TCP 127.0.0.1:5060;branch=z9hG4bK-52f0c1-" + number + ";rport\r\n" +
           "From: \"Phone 17\" <sip:phone-17@" + name + ">;tag=9fxced76sl" + number + "\r\n" + "To: <sip:" + name +
           ">" + std::string(to_tag) + "\r\n" + "Call-ID: 3848276298220188511-" + number + "@127.0.0.1\r\n" +
           "CSeq: 1" + number + " OPTIONS\r\n";
}

constexpr std::string_view capabilities =
    "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, MESSAGE, SUBSCRIBE, INFO\r\n"
    "Supported: replaces, timer, outbound, path\r\n";

}  // namespace

std::string options_request(std::string_view domain) {
    return "OPTIONS sip:" + std::string(domain) + " SIP/2.0\r\n" + transaction(domain, "") +
           "Contact: <sip:phone-17@127.0.0.1:5060;transport=tcp>\r\n" +
           "Max-Forwards: 70\r\nUser-Agent: bench_load\r\nAccept: application/sdp\r\n" + std::string(capabilities) +
           "Content-Length: 0\r\n\r\n";
}

std::string options_answer(std::string_view domain) {
    return "SIP/2.0 200 OK\r\n" + transaction(domain, ";tag=37GkEhwl6") + std::string(capabilities) +
           "Server: bench_load\r\nContent-Length: 0\r\n\r\n";
}

}  // namespace sallyport::bench
