#include "wire/h323/gatekeeper_id.hpp"

#include "base/text.hpp"
#include "wire/sip/host.hpp"

#include <algorithm>
#include <array>

namespace sallyport::h323 {

namespace {

constexpr auto npos = std::string_view::npos;

constexpr std::array<std::string_view, 5> schemes = {"h323:", "h323s:", "sip:", "sips:", "mailto:"};

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// Takes the scheme away. False: there is none.
bool strip_scheme(std::string_view& text) {
    for (const std::string_view scheme : schemes) {
        if (!equals_ignoring_case(text.substr(0, scheme.size()), scheme)) continue;
        text.remove_prefix(scheme.size());
        return true;
    }
    return false;
}

// "example.com:1720;type=gk" without what is behind the host.
std::string_view host_part(std::string_view text) {
    text = text.substr(0, text.find_first_of(";?"));
    text = text.substr(text.rfind('@') + 1);  // from the start where there is none
    const std::size_t bracket = text.find(']');
    return text.substr(0, text.find(':', bracket == npos ? 0 : bracket));
}

std::optional<std::string> domain_in(std::string_view text) {
    const bool is_url = strip_scheme(text);
    const std::size_t at = text.find('@');
    // Without "@" a URL is a user alone, strictly; one with a dot is meant as a host.
    if (at == npos && (!is_url || !text.contains('.'))) return std::nullopt;
    const auto host = sip::Host::parse(host_part(at == npos ? text : text.substr(at + 1)));
    return host ? std::optional(std::string(host->text())) : std::nullopt;
}

}  // namespace

Result<GatekeeperId, std::string_view> read_gatekeeper_id(std::string_view text) {
    const auto refuse = [](std::string_view why) { return fail(why); };
    if (text.empty()) return refuse("an empty gatekeeper id");
    const auto characters = text.size() - static_cast<std::size_t>(std::ranges::count_if(text, continues_character));
    if (characters > max_gatekeeper_id) return refuse("a gatekeeper id of more than 128 characters");
    if (std::ranges::any_of(text, is_control)) return refuse("a gatekeeper id with a control character");

    const std::size_t at = text.find('@');
    const std::string_view rest = at == npos || at > text.find('/') ? text : text.substr(at + 1);
    const std::size_t slash = rest.find('/');
    const std::string_view domain = rest.substr(0, slash);
    if (domain.empty()) return refuse("a gatekeeper id without a domain");
    if (rest.contains('@')) return refuse("a gatekeeper id with more than one \"@\", or one behind its \"/\"");
    GatekeeperId id{.name = to_lower(rest), .parts = {}};
    if (slash == npos) return id;

    const std::string_view location = rest.substr(slash + 1);
    const std::size_t colon = location.find(':');
    const std::string_view primary = location.substr(0, colon);
    if (primary.empty()) return refuse("a gatekeeper id without a location behind its \"/\"");
    if (colon == npos) return id;
    const std::string_view standby = location.substr(colon + 1);
    if (standby.empty() || standby.contains(':'))
        return refuse("a gatekeeper id with a \":\" that splits no two locations");
    const std::string base = to_lower(domain) + '/';
    id.parts = {base + to_lower(primary), base + to_lower(standby)};
    return id;
}

std::optional<std::string> domain_of(const Alias& alias) {
    switch (alias.kind) {
        case AliasKind::h323_id:
        case AliasKind::url_id:
        case AliasKind::email_id: return domain_in(alias.text);
        default: return std::nullopt;
    }
}

std::optional<std::string> domain_of(const std::vector<Alias>& aliases) {
    for (const Alias& alias : aliases) {
        if (auto domain = domain_of(alias)) return domain;
    }
    return std::nullopt;
}

}  // namespace sallyport::h323
