#include "push/name.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>

namespace sallyport::push {

namespace {

constexpr std::string_view domain = ".push.apple.com";
constexpr std::size_t most_digits = 3;

constexpr std::array<std::string_view, 7> providers{"api.push.apple.com",
                                                    "api.sandbox.push.apple.com",
                                                    "api.development.push.apple.com",
                                                    "gateway.push.apple.com",
                                                    "gateway.sandbox.push.apple.com",
                                                    "feedback.push.apple.com",
                                                    "feedback.sandbox.push.apple.com"};

bool ends_ignoring_case(std::string_view text, std::string_view end) {
    return text.size() >= end.size() && equals_ignoring_case(text.substr(text.size() - end.size()), end);
}

// Without ".push.apple.com"; nothing where it does not end so.
std::optional<std::string_view> within_domain(std::string_view name) {
    if (name.ends_with('.')) name.remove_suffix(1);
    if (!ends_ignoring_case(name, domain)) return std::nullopt;
    return name.substr(0, name.size() - domain.size());
}

std::optional<PushFamily> family_named(std::string_view word) {
    const auto& words = config::words_of<PushFamily>;
    const auto* const at =
        std::ranges::find_if(words, [word](std::string_view one) { return equals_ignoring_case(one, word); });
    if (at == words.end()) return std::nullopt;
    return static_cast<PushFamily>(at - words.begin());
}

}  // namespace

std::string Courier::host() const {
    return std::to_string(number) + '-' + std::string(config::to_string(family)) + std::string(domain);
}

std::optional<Courier> courier_of(std::string_view name) {
    const auto inner = within_domain(name);
    if (!inner) return std::nullopt;
    const std::size_t dash = inner->find('-');
    if (dash == std::string_view::npos || dash == 0 || dash > most_digits) return std::nullopt;
    const auto number = parse_number<std::uint16_t>(inner->substr(0, dash));
    const auto family = family_named(inner->substr(dash + 1));
    // "07-courier" is another name than "7-courier": it goes upstream, where it is known whether there is one.
    const bool as_written = number && std::to_string(*number).size() == dash;
    if (!as_written || !family) return std::nullopt;
    return Courier{*family, *number};
}

std::optional<PushFamily> family_of(std::string_view server_name) {
    if (const auto courier = courier_of(server_name)) return courier->family;
    const auto inner = within_domain(server_name);
    return inner ? family_named(*inner) : std::nullopt;
}

std::optional<Provider> provider_of(std::string_view name) {
    if (name.ends_with('.')) name.remove_suffix(1);
    const auto* const at =
        std::ranges::find_if(providers, [name](std::string_view one) { return equals_ignoring_case(one, name); });
    if (at == providers.end()) return std::nullopt;
    return static_cast<Provider>(at - providers.begin());
}

std::string_view host_of(Provider provider) { return providers[static_cast<std::size_t>(provider)]; }

bool is_unknown_courier(std::string_view name) {
    const auto inner = within_domain(name);
    if (!inner || courier_of(name) || family_of(name)) return false;
    return to_lower(*inner).contains("courier");
}

}  // namespace sallyport::push
