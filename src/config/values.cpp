#include "config/values.hpp"

#include "base/text.hpp"
#include "config/names.hpp"
#include "config/units.hpp"
#include "config/url_parts.hpp"

#include <algorithm>
#include <array>

namespace sallyport::config {

namespace {

std::string with_article(std::string_view noun) {
    const bool vowel = std::string_view("aeiou").contains(noun.front());
    return (vowel ? "an " : "a ") + std::string(noun);
}

// The number, once its type and range are right.
std::optional<std::int64_t> integer_in(const Reading& in, std::string_view what, std::int64_t least,
                                       std::int64_t most) {
    const auto* number = in.value.get_if<std::int64_t>();
    if (!number) {
        in.wrong_type(what);
        return std::nullopt;
    }
    if (*number >= least && *number <= most) return *number;
    in.error({std::to_string(*number) + " is out of range",
              "from " + std::to_string(least) + " to " + std::to_string(most)});
    return std::nullopt;
}

Path resolved(const std::string& file, std::string_view path) {
    return (Path(file).parent_path() / Path(path)).lexically_normal();
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
    const auto port = parse_number<std::uint16_t>(text);
    return port && *port > 0 ? port : std::nullopt;
}

// "host:8080" or "[::1]:8080", but not a bare IPv6 address.
bool ends_in_port(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos || !parse_port(text.substr(colon + 1))) return false;
    const auto host = text.substr(0, colon);
    return is_host_name(host) || IpAddress::parse(host) || (host.starts_with('[') && host.ends_with(']'));
}

constexpr std::string_view builtin_prefix = "builtin:";
constexpr std::array<std::string_view, 1> builtins{"welcome"};

}  // namespace

void Reading::error(Complaint complaint) const {
    findings.error(place(), {std::string(key) + ": " + complaint.message, std::move(complaint.hint)});
}

void Reading::warning(Complaint complaint) const {
    findings.warning(place(), {std::string(key) + ": " + complaint.message, std::move(complaint.hint)});
}

void Reading::wrong_type(std::string_view wanted, std::string hint) const {
    error({"must be " + with_article(wanted) + ", not " + std::string(value.kind()), std::move(hint)});
}

std::optional<std::span<const Value>> elements_of(const Reading& in) {
    const auto* list = in.value.get_if<Value::List>();
    if (!list) return std::span<const Value>(&in.value, 1);
    if (!list->empty() || in.limits.empty_list_hint.empty()) return std::span<const Value>(*list);
    in.error({"an empty list", std::string(in.limits.empty_list_hint)});
    return std::nullopt;
}

void read(const Reading& in, bool& out) {
    const auto* boolean = in.value.get_if<bool>();
    if (!boolean) return in.wrong_type("boolean", "true or false, without quotes");
    out = *boolean;
}

void read(const Reading& in, Located<bool>& out) {
    read(in, out.value);
    out.place = in.place();
}

void read(const Reading& in, std::uint32_t& out) {
    if (const auto number = integer_in(in, "integer", in.limits.least, in.limits.most))
        out = static_cast<std::uint32_t>(*number);
}

void read(const Reading& in, std::optional<std::uint16_t>& out) {
    if (const auto number = integer_in(in, "port", 1, 65'535)) out = static_cast<std::uint16_t>(*number);
}

void read(const Reading& in, std::vector<Located<std::uint16_t>>& out) {
    const auto elements = elements_of(in);
    if (!elements) return;
    std::vector<Located<std::uint16_t>> ports;
    for (const Value& element : *elements) {
        const Reading one = in.element(element);
        if (const auto port = integer_in(one, "port", 1, 65'535))
            ports.push_back({static_cast<std::uint16_t>(*port), one.place()});
    }
    if (!ports.empty() || elements->empty()) out = std::move(ports);
}

Result<void, Complaint> from_text(const Reading&, std::string_view text, std::string& out) {
    out = text;
    return {};
}

Result<void, Complaint> from_text(const Reading& in, std::string_view text, Path& out) {
    if (text.contains('\0')) return fail(Complaint{"a path has no NUL"});
    out = text.empty() ? Path() : resolved(in.file, text);
    return {};
}

Result<void, Complaint> from_text(const Reading& in, std::string_view text, Duration& out) {
    const auto duration = parse_duration(text);
    if (!duration) return fail(duration.error());
    const Duration least(in.limits.least);
    const Duration most(in.limits.most);
    if (*duration < least || *duration > most) {
        return fail(Complaint{quote(text) + " is out of range", "from " + to_text(least) + " to " + to_text(most)});
    }
    out = *duration;
    return {};
}

Result<void, Complaint> from_text(const Reading&, std::string_view text, IpAddress& out) {
    const auto ip = IpAddress::parse(text);
    if (!ip) return fail(Complaint{quote(text) + " is not an IP address", "such as \"192.0.2.1\" or \"2001:db8::1\""});
    out = *ip;
    return {};
}

Result<void, Complaint> from_text(const Reading& in, std::string_view text, Network& out) {
    const auto network = Network::parse(text);
    if (!network) {
        return fail(
            Complaint{quote(text) + " is not a network", "such as \"10.0.0.0/8\", \"2001:db8::/32\" or one address"});
    }
    const auto written = IpAddress::parse(text.substr(0, text.find('/')));
    if (written && *written != network->address()) {
        in.warning({quote(text) + " has bits set beyond its prefix", "it is read as " + quote(network->to_string())});
    }
    out = *network;
    return {};
}

Result<void, Complaint> from_text(const Reading&, std::string_view text, ListenAddress& out) {
    if (text.starts_with(':')) {
        if (const auto port = parse_port(text.substr(1))) {
            out = {.address = {.ip = {}, .port = *port}, .dual_stack = true};
            return {};
        }
    }
    const auto address = SocketAddress::parse(text);
    if (!address || address->port == 0) {
        return fail(Complaint{quote(text) + " is not an address to listen on",
                              "such as \":443\" (all addresses), \"192.0.2.1:443\" or \"[2001:db8::1]:443\""});
    }
    out = {.address = *address, .dual_stack = false};
    return {};
}

Result<void, Complaint> from_text(const Reading&, std::string_view text, NatMapping& out) {
    const auto equals = text.find('=');
    if (equals != std::string_view::npos) {
        const auto outside = IpAddress::parse(trim(text.substr(0, equals)));
        const auto own = IpAddress::parse(trim(text.substr(equals + 1)));
        if (outside && own && outside->is_v4() == own->is_v4()) {
            out = {.outside = *outside, .own = *own};
            return {};
        }
    }
    return fail(Complaint{quote(text) + " is not a mapping of two addresses of one family",
                          "the form is \"public=own\", such as \"203.0.113.10=172.16.0.5\""});
}

Result<void, Complaint> from_text(const Reading& in, std::string_view text, LogDestination& out) {
    using enum LogDestination::Kind;
    if (text == "stdout")
        out = {.kind = standard_output};
    else if (text == "syslog")
        out = {.kind = syslog};
    else {
        out.kind = file;
        return from_text(in, text, out.file);
    }
    return {};
}

Result<void, Complaint> from_text(const Reading&, std::string_view text, Target& out) {
    using enum Target::Kind;
    if (text.starts_with(builtin_prefix)) {
        const auto name = text.substr(builtin_prefix.size());
        if (name != builtins.front())
            return fail(Complaint{quote(text) + " is not built in", "there is \"builtin:welcome\""});
        out = {.kind = builtin, .text = std::string(name)};
        return {};
    }
    const bool bracketed = text.starts_with('[') && text.ends_with(']');
    if (const auto ip = IpAddress::parse(bracketed ? text.substr(1, text.size() - 2) : text)) {
        out = {.kind = address, .address = *ip, .text = ip->to_string()};
        return {};
    }
    if (is_host_name(text)) {
        out = {.kind = host, .text = to_lower(text)};
        return {};
    }
    if (ends_in_port(text)) {
        const auto colon = text.rfind(':');
        const std::string port(text.substr(colon + 1));
        return fail(
            Complaint{"a target has no port", "write the port as plain_port = " + port + " or tls_port = " + port});
    }
    if (text.contains("://"))
        return fail(Complaint{"a target is a host, not a URL", "plain_port and tls_port say how it is reached"});
    return fail(Complaint{quote(text) + " is neither an address nor a host name",
                          "such as \"172.16.0.10\" or \"pbx.example.com\""});
}

Result<void, Complaint> from_text(const Reading&, std::string_view text, HealthCheck& out) {
    using enum HealthCheck::Kind;
    constexpr std::string_view http_prefix = "http /";
    if (text == "tcp" || text == "tls") {
        out.kind = text == "tcp" ? tcp : tls;
        return {};
    }
    if (text.starts_with(http_prefix)) {
        out = {.kind = http, .path = std::string(text.substr(http_prefix.size() - 1))};
        if (std::ranges::all_of(out.path, [](char c) { return c > ' ' && c < '\x7f'; })) return {};
    }
    return fail(Complaint{quote(text) + " is no health check", "\"tcp\", \"tls\", or \"http /path\""});
}

Result<void, Complaint> from_text(const Reading&, std::string_view text, DnsUpstream& out) {
    auto upstream = parse_dns_upstream(text);
    if (!upstream) return fail(Complaint{quote(text) + " is no name server", upstream.error().message});
    out = std::move(*upstream);
    return {};
}

Result<void, Complaint> from_text(const Reading&, std::string_view text, DnsName& out) {
    auto name = parse_dns_name(text);
    if (!name) return fail(Complaint{quote(text) + " is no domain name", name.error().message});
    out = std::move(*name);
    return {};
}

Result<void, Complaint> from_text(const Reading&, std::string_view text, ProxyUrl& out) {
    constexpr std::string_view schemes[] = {"http://", "socks5://"};  // in the order of ProxyUrl::Kind
    for (std::size_t i = 0; i < std::size(schemes); ++i) {
        if (!text.starts_with(schemes[i])) continue;
        const auto parts = parse_url_parts(text.substr(schemes[i].size()));
        if (!parts) return fail(Complaint{quote(text) + " is no proxy", parts.error().message});
        if (parts->port == 0 || !(parts->path.empty() || parts->path == "/"))
            return fail(Complaint{quote(text) + " is no proxy", "it ends with the proxy's port"});
        out = {static_cast<ProxyUrl::Kind>(i), parts->host, parts->port, parts->user, parts->password};
        return {};
    }
    return fail(Complaint{quote(text) + " is no proxy", "it begins with http:// or socks5://"});
}

Result<void, Complaint> from_text(const Reading&, std::string_view text, PortRange& out) {
    const auto dash = text.find('-');
    const auto first = parse_port(text.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parse_port(text.substr(dash + 1));
    if (!first || !last || *first > *last)
        return fail(Complaint{quote(text) + " is not a range of ports", "such as \"49152-65535\""});
    out = {*first, *last};
    return {};
}

// What Linux takes for a name (dev_valid_name), and nothing that means something to a rule's reader.
Result<void, Complaint> from_text(const Reading&, std::string_view text, Interface& out) {
    constexpr std::size_t longest = 15;
    const auto fits = [](char c) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        return letter || c == '.' || c == '_' || c == '-' || c == '@';
    };
    if (text.size() > longest || text == "." || text == ".." || text.starts_with('-') ||
        !std::ranges::all_of(text, fits))
        return fail(Complaint{quote(text) + " is not the name of a network interface", "such as \"eth0\""});
    out.name = text;
    return {};
}

Result<void, Complaint> from_text(const Reading&, std::string_view text, SocketAddress& out) {
    const auto address = SocketAddress::parse(text);
    if (!address || address->port == 0 || address->ip.is_unspecified()) {
        return fail(Complaint{quote(text) + " is not an address with a port",
                              "such as \"172.16.0.40:88\" or \"[2001:db8::40]:88\""});
    }
    out = *address;
    return {};
}

Result<std::size_t, Complaint> find_word(std::string_view text, std::span<const std::string_view> words) {
    std::string all;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i] == text) return i;
        all += (all.empty() ? "" : ", ") + quote(words[i]);
    }
    const auto near = nearest(text, words);
    const std::string question = near.empty() ? "" : "did you mean " + quote(near) + "? ";
    return fail(Complaint{quote(text) + " is not known here", question + "known: " + all});
}

}  // namespace sallyport::config
