#include "wire/http/authority.hpp"

#include "base/address.hpp"
#include "base/text.hpp"

#include <algorithm>

namespace sallyport::http {

namespace {

bool is_name_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

bool is_ipv6_literal(std::string_view host) {
    if (!host.starts_with('[') || !host.ends_with(']')) return false;
    const std::string_view inner = host.substr(1, host.size() - 2);
    return inner.find(':') != std::string_view::npos && IpAddress::parse(inner).has_value();
}

// Letters, digits, '-', '_' in labels that are not empty: what a certificate or DNS can hold.
bool is_host_name(std::string_view host) {
    return !host.starts_with('.') && !host.ends_with('.') && host.find("..") == std::string_view::npos &&
           std::ranges::all_of(host, is_name_character);
}

}  // namespace

bool Authority::set_host(std::string_view host) {
    if (!host.starts_with('[') && host.ends_with('.')) host.remove_suffix(1);
    if (host.empty() || host.size() > max_host) return false;
    std::ranges::transform(host, host_.begin(), [](char c) { return to_lower(c); });
    size_ = static_cast<std::uint8_t>(host.size());
    return host.front() == '[' ? is_ipv6_literal(this->host()) : is_host_name(this->host());
}

std::optional<Authority> Authority::parse(std::string_view text) {
    const std::size_t bracket = text.starts_with('[') ? text.find(']') : 0;
    if (bracket == std::string_view::npos) return std::nullopt;
    const std::size_t colon = text.find(':', bracket);

    Authority out;
    if (!out.set_host(text.substr(0, colon))) return std::nullopt;
    if (colon == std::string_view::npos || colon + 1 == text.size()) return out;
    const auto port = parse_number<std::uint16_t>(text.substr(colon + 1));
    if (!port || *port == 0) return std::nullopt;
    out.port_ = *port;
    return out;
}

}  // namespace sallyport::http
