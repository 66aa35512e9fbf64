#include "wire/sip/host.hpp"

#include "base/address.hpp"
#include "base/text.hpp"
#include "wire/sip/text.hpp"

#include <algorithm>

namespace sallyport::sip {

namespace {

constexpr std::size_t max_label = 63;  // bytes (RFC 1035 section 2.3.4)

bool is_label(std::string_view label) {
    return !label.empty() && label.size() <= max_label && label.front() != '-' && label.back() != '-' &&
           std::ranges::all_of(label,
                               [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_'; });
}

// A last label of digits alone is an address (RFC 1123 section 2.1), and then a valid one or nothing.
bool is_name_or_ipv4(std::string_view host) {
    const std::string_view last = host.substr(host.rfind('.') + 1);
    if (std::ranges::all_of(last, is_digit)) return host.contains('.') && IpAddress::parse(host).has_value();
    for (std::size_t start = 0;;) {
        const std::size_t dot = host.find('.', start);
        if (!is_label(host.substr(start, dot - start))) return false;
        if (dot == std::string_view::npos) return true;
        start = dot + 1;
    }
}

}  // namespace

// An address has many spellings, and one that services are looked up by.
std::optional<Host> Host::parse_ipv6(std::string_view text) {
    if (!text.ends_with(']')) return std::nullopt;
    const std::string_view inner = text.substr(1, text.size() - 2);
    const auto address = inner.contains(':') ? IpAddress::parse(inner) : std::nullopt;
    if (!address) return std::nullopt;
    Host out;
    const std::string canonical = address->is_v4() ? address->to_string() : '[' + address->to_string() + ']';
    std::ranges::copy(canonical, out.text_.begin());
    out.size_ = static_cast<std::uint8_t>(canonical.size());
    return out;
}

std::optional<Host> Host::parse(std::string_view text) {
    if (!text.starts_with('[') && text.ends_with('.')) text.remove_suffix(1);
    if (text.empty() || text.size() > max_size) return std::nullopt;
    Host out;
    std::ranges::transform(text, out.text_.begin(), [](char c) { return to_lower(c); });
    out.size_ = static_cast<std::uint8_t>(text.size());
    if (text.front() == '[') return parse_ipv6(out.text());
    return is_name_or_ipv4(out.text()) ? std::optional(out) : std::nullopt;
}

}  // namespace sallyport::sip
