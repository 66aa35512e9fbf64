#include "gate/h323/registered.hpp"

#include "base/text.hpp"

#include <optional>
#include <string_view>

namespace sallyport::gate::h323 {

namespace {

using namespace sallyport::h323;
using config::RegistrationName;

std::optional<RegistrationName> kind_of(AliasKind kind) {
    switch (kind) {
        case AliasKind::h323_id: return RegistrationName::h323_id;
        case AliasKind::url_id:
        case AliasKind::email_id: return RegistrationName::url_id;
        case AliasKind::dialled_digits:
        case AliasKind::party_number: return RegistrationName::e164;
        default: return std::nullopt;
    }
}

// "h323:bob@example.com" is for bob, and for bob@example.com.
bool is_in(const ShownCertificate& shown, const Alias& alias) {
    constexpr std::string_view scheme = "h323:";
    std::string_view text = alias.text;
    if (alias.kind == AliasKind::url_id && equals_ignoring_case(text.substr(0, scheme.size()), scheme))
        text.remove_prefix(scheme.size());
    const std::size_t at = text.rfind('@');
    const bool has_host = at != std::string_view::npos;
    return shown.is_for(text.substr(0, at), has_host ? text.substr(at + 1) : std::string_view());
}

}  // namespace

RegisteredNames::RegisteredNames(const config::Service& settings) {
    for (const auto& kind : settings.registration_name) kinds_ |= 1U << static_cast<unsigned>(kind.value);
}

Fit RegisteredNames::fit_of(const ShownCertificate& shown, const std::vector<Alias>& aliases) const {
    for (const bool numbers : {false, true}) {
        Fit fit = Fit::nothing;
        for (const Alias& alias : aliases) {
            const auto kind = kind_of(alias.kind);
            if (!kind || !counts(*kind) || (*kind == RegistrationName::e164) != numbers) continue;
            if (!is_in(shown, alias)) return Fit::no;
            fit = Fit::yes;
        }
        if (fit != Fit::nothing) return fit;
    }
    return Fit::nothing;
}

Fit RegisteredNames::fit(const ShownCertificate& shown, const Heard& heard) const {
    Fit all = Fit::nothing;
    for (const RasMessage& ras : heard.ras) {
        if (!ras.is_request()) continue;
        const Fit one = fit_of(shown, ras.aliases);
        if (one == Fit::no) return Fit::no;
        if (one == Fit::yes) all = Fit::yes;
    }
    return all;
}

}  // namespace sallyport::gate::h323
