#include "config/url_parts.hpp"

#include "base/text.hpp"

#include <optional>

namespace sallyport::config {

namespace {

std::optional<unsigned> hex_digit(char digit) {
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return std::nullopt;
}

std::optional<std::string> decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        const auto high = i + 2 < text.size() ? hex_digit(text[i + 1]) : std::nullopt;
        const auto low = high ? hex_digit(text[i + 2]) : std::nullopt;
        if (!low) return std::nullopt;
        out += static_cast<char>(*high << 4 | *low);
        i += 2;
    }
    return out;
}

}  // namespace

Result<UrlParts> parse_url_parts(std::string_view text) {
    UrlParts url;
    if (const auto at = text.rfind('@'); at != std::string_view::npos) {
        const std::string_view login = text.substr(0, at);
        const auto colon = login.find(':');
        const auto user = decoded(login.substr(0, colon));
        const auto password =
            colon == std::string_view::npos ? std::optional<std::string>("") : decoded(login.substr(colon + 1));
        if (!user || !password) return fail("a % in user or password begins two hexadecimal digits; % itself is %25");
        url.user = *user;
        url.password = *password;
        text.remove_prefix(at + 1);
    }
    if (const auto slash = text.find('/'); slash != std::string_view::npos) {
        url.path = text.substr(slash);
        text = text.substr(0, slash);
    }
    const auto bracket = text.rfind(']');
    const auto colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
    if (colon != std::string_view::npos) {
        const auto port = parse_number<std::uint16_t>(text.substr(colon + 1));
        if (!port || *port == 0)
            return fail("behind the host stands a port from 1 to 65535; an IPv6 address stands in []");
        url.port = *port;
        text = text.substr(0, colon);
    }
    if (bracket != std::string_view::npos) {
        if (!text.starts_with('[') || !text.ends_with(']')) return fail("an IPv6 address stands in []");
        text = text.substr(1, text.size() - 2);
    }
    if (text.empty()) return fail("it names no host");
    url.host = text;
    return url;
}

}  // namespace sallyport::config
