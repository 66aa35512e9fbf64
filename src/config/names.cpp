#include "config/names.hpp"

#include "base/text.hpp"
#include "wire/h323/gatekeeper_id.hpp"

#include <algorithm>
#include <array>

namespace sallyport::config {

namespace {

constexpr std::size_t longest_name = 253;  // RFC 1035 section 2.3.4, without the final dot
constexpr std::size_t longest_label = 63;  // same place

struct Grammar {
    bool wildcard;  // "*.example.com"
    bool address;   // a client may name an IP address: Host and SIP domains may hold one, an SNI may not
    bool host;      // else a gatekeeper id
};

constexpr std::array<Grammar, words_of<Protocol>.size()> grammars{{
    {.wildcard = true, .address = true, .host = true},    // http
    {.wildcard = true, .address = true, .host = true},    // sip
    {.wildcard = true, .address = false, .host = true},   // ldap
    {.wildcard = false, .address = false, .host = false}, // h323
    {.wildcard = true, .address = false, .host = true},   // tls
}};

const Grammar& grammar_of(Protocol protocol) { return grammars[static_cast<std::size_t>(protocol)]; }

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_label_character(char c) {
    return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'z') || c == '-' || c == '_';
}

bool is_label(std::string_view label) {
    return !label.empty() && label.size() <= longest_label && !label.starts_with('-') && !label.ends_with('-') &&
           std::ranges::all_of(label, is_label_character);
}

// "192.0.2.1", "2001:db8::1" or, as in a Host field, "[2001:db8::1]".
std::optional<IpAddress> parse_literal(std::string_view text) {
    if (text.starts_with('[') && text.ends_with(']')) {
        const auto ip = IpAddress::parse(text.substr(1, text.size() - 2));
        return ip && !ip->is_v4() ? ip : std::nullopt;
    }
    return IpAddress::parse(text);
}

// Held to what a phone can send, and to what is not a slip of the keyboard.
std::optional<Complaint> check_gatekeeper_id(std::string_view name) {
    if (!h323::read_gatekeeper_id(name) || name.contains(' ')) {
        return Complaint{"this is not a gatekeeper id", "the form is [location@]domain[/registration-location]"};
    }
    if (name.contains('*')) return Complaint{"a gatekeeper id has no wildcard", "write one service for each name"};
    return std::nullopt;
}

Complaint explain_bad_host(std::string_view name) {
    if (name == "*")
        return {"a wildcard needs a domain: \"*.example.com\"", "for requests without a name: default = true"};
    if (name.contains('*')) return {"a wildcard is the whole first label", "such as \"*.example.com\""};
    if (name.contains("://")) return {"this is a URL, not a name", "write the name alone, such as \"hq.example.com\""};
    if (name.contains('/')) return {"a name has no path", "allow_url limits the paths"};
    if (name.ends_with('.')) return {"a name has no final dot here", "write it without the dot"};
    if (name.contains(':')) return {"a name has no port", "[listen] says which ports are served"};
    if (std::ranges::any_of(name, [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) {
        return {"a name is ASCII on the wire", "write its form that begins with xn--"};
    }
    return {"this is not a DNS name", "letters, digits, hyphens and dots, such as \"hq.example.com\""};
}

}  // namespace

bool is_host_name(std::string_view text) {
    if (text.size() > longest_name) return false;
    for (;;) {
        const auto dot = text.find('.');
        const auto label = text.substr(0, dot);
        if (!is_label(label)) return false;
        if (dot == std::string_view::npos) return !std::ranges::all_of(label, is_digit);
        text.remove_prefix(dot + 1);
    }
}

std::optional<Complaint> check_service_name(Protocol protocol, std::string_view name) {
    const Grammar& grammar = grammar_of(protocol);
    if (!grammar.host) return check_gatekeeper_id(name);
    if (parse_literal(name)) {
        if (grammar.address) return std::nullopt;
        return Complaint{"an address is no name in " + std::string(to_string(protocol)),
                         "clients send a DNS name there"};
    }
    const bool wildcard = grammar.wildcard && name.starts_with("*.");
    if (is_host_name(wildcard ? name.substr(2) : name)) return std::nullopt;
    return explain_bad_host(name);
}

std::string canonical_service_name(Protocol protocol, std::string_view name) {
    if (!grammar_of(protocol).host) {
        const auto id = h323::read_gatekeeper_id(name);
        return id ? id->name : std::string(name);
    }
    const auto literal = parse_literal(name);
    if (!literal) return to_lower(name);
    return literal->is_v4() ? literal->to_string() : '[' + literal->to_string() + ']';
}

std::optional<Complaint> check_url_rule(std::string_view rule) {
    if (!rule.starts_with('/'))
        return Complaint{"an allowed URL begins with \"/\"", "write " + quote('/' + std::string(rule))};
    const std::string lower = to_lower(rule);
    for (const std::string_view trick : {"\\", "%2f", "%5c", "/./", "/../"}) {
        if (!lower.contains(trick)) continue;
        return Complaint{"this rule can never match: a path with \"" + std::string(trick) +
                         "\" is refused before any rule is asked"};
    }
    if (std::ranges::any_of(
            rule, [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7F || c == '?' || c == '#'; })) {
        return Complaint{"a rule is a path: no blanks, no \"?\", no \"#\"", "queries are admitted with their path"};
    }
    return std::nullopt;
}

}  // namespace sallyport::config
