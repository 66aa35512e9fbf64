#include "wire/ldap/bind_name.hpp"

#include "base/text.hpp"
#include "wire/ldap/dn.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace sallyport::ldap {

namespace {

constexpr std::size_t max_label = 63;

constexpr std::array<std::string_view, 7> texts = {
    "no name",
    "a name without a domain",
    "a domain without a user",
    "a malformed distinguished name",
    "a distinguished name without DC parts",
    "a distinguished name with two DC parts in one place",
    "a domain that is no host name",
};
static_assert(std::to_underlying(NameError::bad_domain) + 1 == texts.size());

BindDomain none(NameError error) { return {.error = error}; }

bool is_label_character(char c) {
    const char lower = to_lower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool is_label(std::string_view label) {
    return !label.empty() && label.size() <= max_label && label.front() != '-' && label.back() != '-' &&
           std::ranges::all_of(label, is_label_character);
}

bool is_domain(std::string_view domain) {
    if (domain.size() > max_domain) return false;
    for (;;) {
        const std::size_t dot = domain.find('.');
        if (!is_label(domain.substr(0, dot))) return false;
        if (dot == std::string_view::npos) return true;
        domain.remove_prefix(dot + 1);
    }
}

BindDomain from_parts(NameForm form, std::string_view domain, std::string_view user) {
    if (domain.ends_with('.')) domain.remove_suffix(1);
    if (!is_domain(domain)) return none(NameError::bad_domain);
    if (user.empty()) return none(NameError::no_user);
    return {.form = form, .domain = to_lower(domain)};
}

// Adds one DC part. False: the domain is none.
bool join(std::string& domain, const DnValue& value) {
    const auto label = text_of(value);
    if (!label || !is_label(*label)) return false;
    if (!domain.empty()) domain += '.';
    domain += to_lower(*label);
    return domain.size() <= max_domain;
}

BindDomain from_dn(std::string_view name) {
    BindDomain out{.form = NameForm::dn};
    DnReader reader(name);
    bool named_in_rdn = false;
    std::optional<NameError> error;  // the first; but a name that is malformed further on is malformed
    while (const auto attribute = reader.next()) {
        named_in_rdn = named_in_rdn && !attribute->begins_rdn;
        if (error || !is_domain_component(attribute->type)) continue;
        if (std::exchange(named_in_rdn, true)) {
            error = NameError::ambiguous_domain;
        } else if (!join(out.domain, attribute->value)) {
            error = NameError::bad_domain;
        }
    }
    if (reader.malformed()) return none(NameError::malformed_dn);
    if (error) return none(*error);
    if (out.domain.empty()) return none(NameError::dn_without_domain);
    return out;
}

}  // namespace

std::string_view text(NameError error) { return texts[std::to_underlying(error)]; }

BindDomain bind_domain(std::string_view name) {
    constexpr auto none_found = std::string_view::npos;
    if (name.empty()) return none(NameError::empty);
    const std::size_t mark = name.find_first_of("\\=");
    if (mark != none_found && name[mark] == '=') return from_dn(name);
    if (mark != none_found) return from_parts(NameForm::domain_user, name.substr(0, mark), name.substr(mark + 1));
    const std::size_t at = name.rfind('@');
    if (at != none_found) return from_parts(NameForm::upn, name.substr(at + 1), name.substr(0, at));
    return none(NameError::no_domain);
}

}  // namespace sallyport::ldap
