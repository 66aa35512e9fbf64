#include "gate/http/suspicion.hpp"

#include "base/bytes.hpp"
#include "base/text.hpp"
#include "crypto/hash.hpp"

#include <algorithm>

namespace sallyport::gate::http {

namespace {

using sallyport::http::Field;
using sallyport::http::FieldList;

struct Scheme {
    std::string_view name;
    std::string_view rest;  // trimmed
};

Scheme scheme_of(std::string_view value) {
    const std::size_t blank = std::min(value.find(' '), value.size());
    return {value.substr(0, blank), trim(value.substr(blank))};
}

// RFC 7617 section 2; 0 for all else.
std::uint64_t credential_of(std::string_view authorization) {
    const Scheme scheme = scheme_of(authorization);
    if (!equals_ignoring_case(scheme.name, "Basic")) return 0;
    const auto decoded = crypto::from_base64(scheme.rest);
    if (!decoded) return 0;
    const std::string_view both = as_text(*decoded);
    const std::size_t colon = std::min(both.find(':'), both.size());
    return guard::credential_hash(both.substr(0, colon), both.substr(colon));
}

bool goes_on(std::string_view challenge) {
    const Scheme scheme = scheme_of(challenge);
    const bool negotiates = equals_ignoring_case(scheme.name, "NTLM") || equals_ignoring_case(scheme.name, "Negotiate");
    if (negotiates && !scheme.rest.empty()) return true;
    const std::string lower = to_lower(scheme.rest);
    return lower.contains("stale=true") || lower.contains("stale=\"true\"");
}

bool any_goes_on(const FieldList& answer) {
    return std::ranges::any_of(answer, [](const Field& field) {
        return equals_ignoring_case(field.name, "WWW-Authenticate") && goes_on(field.value);
    });
}

}  // namespace

std::optional<Suspect> suspect(std::uint16_t status, const FieldList& request, const FieldList& answer) {
    if (status == 403) return Suspect{guard::Sign::probing};
    const Field* offered = status == 401 ? find(request, "Authorization") : nullptr;
    if (offered == nullptr || any_goes_on(answer)) return std::nullopt;
    return Suspect{guard::Sign::wrong_credentials, credential_of(offered->value)};
}

}  // namespace sallyport::gate::http
