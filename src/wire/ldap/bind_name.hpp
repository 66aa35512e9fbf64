// The domain in the name that a client binds as: what a gateway routes LDAP by.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sallyport::ldap {

enum class NameForm : std::uint8_t {
    none,
    domain_user,  // domain\user
    dn,  // a distinguished name whose DC parts, joined by dots, are the domain (RFC 2247 section 2)
    upn,  // user@domain, the userPrincipalName of Active Directory
};

enum class NameError : std::uint8_t {
    empty,  // no name at all
    no_domain,  // a plain user name, such as ldap-guest
    no_user,  // a domain alone, in a form that has a user
    malformed_dn,
    dn_without_domain,  // no DC part
    ambiguous_domain,  // two DC parts side by side in one RDN, which have no order
    bad_domain,  // not a host name: letters, digits, '-', '_' in labels of 1 to 63, 253 in all
};

/// A phrase for people, in lower case, without a period.
std::string_view text(NameError error);

/// For the diagnosticMessage of a refusal.
inline constexpr std::string_view accepted_forms =
    R"(bind as domain\user, as user@domain, or with a DN whose DC parts are the domain, )"
    R"(such as hq.example.com\ldap-guest or cn=ldap-guest,dc=hq,dc=example,dc=com)";

inline constexpr std::size_t max_domain = 253;  // octets (RFC 1035 section 2.3.4, as text)

struct BindDomain {
    NameForm form = NameForm::none;
    NameError error = NameError::empty;  // where there is no form
    std::string domain = {};  // lower-cased, without a dot at the end; empty where there is no form
};

/// Tells what domain a name names, and in which form. The first backslash ends a domain, unless '=' stands before it:
/// then the name is a DN and the backslash an escape. Without a backslash, '=' makes it a DN, and what is behind the
/// last '@' a domain.
///
/// A service reached by user@domain is one that clients of Active Directory reach by their usual name; the form can't
/// be taken for one of the others, so nothing speaks against accepting it. Who does not want it looks at the form.
/// @param name  as BindRequest has it, from outside.
BindDomain bind_domain(std::string_view name);

}  // namespace sallyport::ldap
