#include "wire/sip/uri.hpp"

#include "base/text.hpp"
#include "wire/sip/fields.hpp"
#include "wire/sip/text.hpp"

#include <algorithm>

namespace sallyport::sip {

namespace {

struct SchemeName {
    std::string_view name;
    Scheme scheme;
};

constexpr SchemeName schemes[] = {{"sip", Scheme::sip}, {"sips", Scheme::sips}, {"tel", Scheme::tel}};

Scheme scheme_of(std::string_view text) {
    const auto* at =
        std::ranges::find_if(schemes, [text](const SchemeName& s) { return equals_ignoring_case(s.name, text); });
    return at == std::end(schemes) ? Scheme::other : at->scheme;
}

// RFC 3986 section 3.1.
bool is_scheme(std::string_view text) {
    if (text.empty() || to_lower(text[0]) < 'a' || to_lower(text[0]) > 'z') return false;
    return std::ranges::all_of(text, [](char c) {
        return (to_lower(c) >= 'a' && to_lower(c) <= 'z') || is_digit(c) || c == '+' || c == '-' || c == '.';
    });
}

// "user" or "user:password", before the '@'.
bool read_userinfo(std::string_view text, Uri& uri) {
    const std::size_t colon = text.find(':');
    uri.user = text.substr(0, colon);
    if (colon != std::string_view::npos) uri.password = text.substr(colon + 1);
    return !uri.user.empty() && is_escaped(user_set, uri.user) && is_escaped(password_set, uri.password);
}

// "host" or "host:port".
bool read_host_and_port(std::string_view text, Uri& uri) {
    const std::size_t bracket = text.starts_with('[') ? text.find(']') : 0;
    if (bracket == std::string_view::npos) return false;
    const std::size_t colon = text.find(':', bracket);
    const auto host = Host::parse(text.substr(0, colon));
    if (!host) return false;
    uri.host = *host;
    if (colon == std::string_view::npos) return true;
    uri.port = parse_number<std::uint16_t>(text.substr(colon + 1));
    return uri.port.has_value() && *uri.port != 0;
}

// ";name=value;name": a name never empty, at most one '=' each.
bool are_parameters(std::string_view text) {
    while (!text.empty()) {
        text.remove_prefix(1);  // the ';'
        const std::string_view parameter = text.substr(0, text.find(';'));
        text.remove_prefix(parameter.size());
        const std::size_t equals = parameter.find('=');
        const std::string_view name = parameter.substr(0, equals);
        if (name.empty() || !is_escaped(parameter_set, name)) return false;
        if (equals == std::string_view::npos) continue;
        const std::string_view value = parameter.substr(equals + 1);
        if (value.empty() || !is_escaped(parameter_set, value)) return false;
    }
    return true;
}

bool read_sip(std::string_view rest, Uri& uri) {
    const std::size_t at_sign = rest.find('@');
    if (at_sign != std::string_view::npos) {
        if (!read_userinfo(rest.substr(0, at_sign), uri)) return false;
        rest.remove_prefix(at_sign + 1);
    }
    // A second '@' ends in the host, the parameters or the headers, none of which may hold it.
    const std::size_t question = rest.find('?');
    if (question != std::string_view::npos) {
        uri.headers = rest.substr(question + 1);
        if (uri.headers.empty() || !is_escaped(header_set, uri.headers)) return false;
        rest = rest.substr(0, question);
    }
    const std::size_t semicolon = std::min(rest.find(';'), rest.size());
    uri.parameters = rest.substr(semicolon);
    return are_parameters(uri.parameters) && read_host_and_port(rest.substr(0, semicolon), uri);
}

// *(token LWS): tokens with white space between, up to the '<'.
bool is_display_name(std::string_view text) {
    return std::ranges::all_of(
        text, [](char c) { return is_white(c) || is_in(token_set, c) || static_cast<unsigned char>(c) > 0x7F; });
}

// What stands before the '<': a quoted string, tokens, or nothing. Leaves `rest` at the '<'.
bool read_display_name(std::string_view& rest, Address& address) {
    if (rest.starts_with('"')) {
        const std::size_t quoted = quoted_size(rest);
        if (quoted == 0) return false;
        address.display_name = rest.substr(1, quoted - 2);
        rest.remove_prefix(quoted);
        skip_white(rest);
        return rest.starts_with('<');
    }
    const std::size_t bracket = rest.find('<');
    if (bracket == std::string_view::npos) return false;
    address.display_name = trim_white(rest.substr(0, bracket));
    rest.remove_prefix(bracket);
    return is_display_name(address.display_name);
}

bool read_name_address(std::string_view& rest, Address& address) {
    if (!read_display_name(rest, address)) return false;
    const std::size_t end = rest.find('>');
    if (end == std::string_view::npos) return false;
    address.in_brackets = true;
    const bool valid = parse_uri(rest.substr(1, end - 1), address.uri);
    rest.remove_prefix(end + 1);
    return valid;
}

bool read_bare_address(std::string_view& rest, Address& address) {
    const std::size_t end = std::min(rest.find_first_of("; \t\r\n"), rest.size());
    const std::string_view uri = rest.substr(0, end);
    rest.remove_prefix(end);
    return uri.find_first_of(",?") == std::string_view::npos && parse_uri(uri, address.uri);
}

// The parameters up to the end of the value; of these only the tag means anything here.
bool read_parameters(std::string_view rest, Address& address) {
    rest = trim_white(rest);
    address.parameters = rest;
    while (const auto parameter = next_parameter(rest)) {
        if (!equals_ignoring_case(parameter->name, "tag")) continue;
        if (!address.tag.empty() || !is_all(token_set, parameter->value)) return false;
        address.tag = parameter->value;
    }
    return rest.empty();
}

// Does this begin as a name-addr does? A display name is never followed by a colon, and a scheme always is.
bool is_name_address(std::string_view value) {
    if (value.starts_with('"') || value.starts_with('<')) return true;
    const std::size_t end = run_of(token_set, value);
    return end == value.size() || value[end] != ':';
}

}  // namespace

bool parse_uri(std::string_view text, Uri& uri) {
    uri = {};
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return false;
    uri.scheme_text = text.substr(0, colon);
    uri.opaque = text.substr(colon + 1);
    if (!is_scheme(uri.scheme_text) || !is_all(request_uri_set, uri.opaque)) return false;
    uri.scheme = scheme_of(uri.scheme_text);
    return (uri.scheme != Scheme::sip && uri.scheme != Scheme::sips) || read_sip(uri.opaque, uri);
}

bool parse_address(std::string_view value, Address& address) {
    address = {};
    std::string_view rest = trim_white(value);
    const bool valid = is_name_address(rest) ? read_name_address(rest, address) : read_bare_address(rest, address);
    return valid && read_parameters(rest, address);
}

}  // namespace sallyport::sip
