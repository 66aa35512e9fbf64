#include "egress/person.hpp"

#include "base/mac.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <cstddef>

namespace sallyport::egress {

namespace {

constexpr std::size_t most_of_user = 253;  // octets: what an attribute of RADIUS holds (RFC 2865 section 5)

bool is_user(std::string_view text) {
    return !text.empty() && text.size() <= most_of_user && std::ranges::none_of(text, is_control);
}

}  // namespace

std::string Person::identity() const {
    if (!user.empty()) return "user " + user;
    if (!mac.empty()) return "mac " + mac;
    return "address " + address.to_string();
}

bool is_identity(std::string_view text) {
    constexpr std::string_view by_address = "address ";
    if (text.starts_with(by_address)) {
        const auto address = IpAddress::parse(text.substr(by_address.size()));
        return address && address->to_string() == text.substr(by_address.size());
    }
    const auto pin = Pin::of_subject(text, {});
    return pin && (pin->kind == PinKind::user || pin->kind == PinKind::mac) && pin->subject() == text;
}

std::optional<Pin> Pin::make(PinKind kind, std::string_view who, const IpAddress& source) {
    Pin pin{.kind = kind, .source = source};
    if (kind == PinKind::user) {
        if (!is_user(who)) return std::nullopt;
        pin.who = who;
    } else if (kind == PinKind::mac) {
        const auto mac = canonical_mac(who);
        if (!mac) return std::nullopt;
        pin.who = *mac;
    } else if (kind == PinKind::client) {
        const auto address = IpAddress::parse(who);
        if (!address) return std::nullopt;
        pin.who = address->to_string();
    } else {
        const auto network = Network::parse(who);
        if (!network) return std::nullopt;
        pin.who = network->to_string();
    }
    return pin;
}

std::optional<Pin> Pin::of_subject(std::string_view subject, const IpAddress& source) {
    const std::size_t blank = subject.find(' ');
    if (blank == std::string_view::npos) return std::nullopt;
    const auto* const kind = std::ranges::find(pin_kind_names, subject.substr(0, blank));
    if (kind == pin_kind_names.end()) return std::nullopt;
    return make(static_cast<PinKind>(kind - pin_kind_names.begin()), subject.substr(blank + 1), source);
}

}  // namespace sallyport::egress
