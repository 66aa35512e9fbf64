#include "turn/uri.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>

namespace sallyport::turn {

namespace {

struct Scheme {
    std::string_view name;
    bool relays;
    bool secure;
    std::uint16_t port;  // RFC 8489 section 18.6, RFC 8656 section 17.5
};
constexpr std::array schemes{Scheme{"stun", false, false, 3478}, Scheme{"stuns", false, true, 5349},
                             Scheme{"turn", true, false, 3478}, Scheme{"turns", true, true, 5349}};

std::unexpected<Error> not_a_uri(std::string_view text) {
    return fail("'" + std::string(text) +
                "' is no URI of a STUN or TURN server, such as turn:turn.example.com:3478?transport=tcp");
}

// RFC 7065 section 3.1: over TLS where it is secure and TCP, over DTLS where it is secure and UDP. Without being told
// clients try what their scheme is used with: nobody offers DTLS without saying so.
std::vector<Transport> transports_of(bool secure, std::string_view query) {
    if (query == "transport=udp") return {secure ? Transport::dtls : Transport::udp};
    if (query == "transport=tcp") return {secure ? Transport::tls : Transport::tcp};
    if (!query.empty()) return {};
    return secure ? std::vector{Transport::tls} : std::vector{Transport::udp, Transport::tcp};
}

}  // namespace

Result<Uri> Uri::parse(std::string_view text) {
    const auto colon = text.find(':');
    const auto scheme =
        std::ranges::find_if(schemes, [&](const Scheme& one) { return one.name == text.substr(0, colon); });
    if (colon == std::string_view::npos || scheme == schemes.end()) return not_a_uri(text);
    const auto question = text.find('?');
    std::string_view rest =
        text.substr(colon + 1, question == std::string_view::npos ? question : question - colon - 1);
    const std::string_view query = question == std::string_view::npos ? "" : text.substr(question + 1);
    Uri uri{.relays = scheme->relays,
            .secure = scheme->secure,
            .host = {},
            .port = scheme->port,
            .transports = transports_of(scheme->secure, query)};
    if (rest.starts_with('[')) {
        const auto end = rest.find(']');
        if (end == std::string_view::npos) return not_a_uri(text);
        uri.host = rest.substr(1, end - 1);
        rest = rest.substr(end + 1);
    } else {
        uri.host = rest.substr(0, rest.find(':'));
        rest = rest.substr(uri.host.size());
    }
    if (!rest.empty()) {
        const auto port = rest.starts_with(':') ? parse_number<std::uint16_t>(rest.substr(1)) : std::nullopt;
        if (!port || *port == 0) return not_a_uri(text);
        uri.port = *port;
    }
    if (uri.host.empty() || uri.transports.empty()) return not_a_uri(text);
    return uri;
}

}  // namespace sallyport::turn
