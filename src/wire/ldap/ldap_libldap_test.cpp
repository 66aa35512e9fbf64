// Distinguished names held against libldap: a name that both read has the same domain to both. Where one refuses what
// the other reads, the class has a function here, with its reason.
#include "base/text.hpp"
#include "wire/ldap/bind_name.hpp"
#include "wire/ldap/dn.hpp"
#include "wire/ldap/openldap_testing.hpp"

#include <gtest/gtest.h>
#include <ldap.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <regex>
#include <string>
#include <string_view>

namespace sallyport::ldap {
namespace {

using namespace sallyport::ldap::openldap;

std::optional<std::string> string_in_ber(std::string_view octets) {
    const Ber in = reading(octets);
    ber_len_t length = 0;
    const ber_tag_t tag = ber_peek_tag(in.get(), &length);
    constexpr ber_tag_t strings[] = {0x04, 0x0C, 0x13, 0x14, 0x16};
    berval value{};
    if (std::ranges::find(strings, tag) == std::end(strings)) return std::nullopt;
    if (ber_scanf(in.get(), "m", &value) == LBER_ERROR || ber_peek_tag(in.get(), &length) != LBER_DEFAULT)
        return std::nullopt;
    return copy(value);
}

bool names_dc(std::string_view type) {
    if (equals_ignoring_case(type.substr(0, 4), "oid.")) type.remove_prefix(4);
    return is_domain_component(type);
}

// The DC parts that libldap finds, each in brackets where it stands beside another in its RDN; nothing: it refuses.
std::optional<std::string> libldap_domain(std::string_view name) {
    berval in = view(name);
    LDAPDN dn = nullptr;
    // Quotes and semicolons are of the older form, which the library reads only when told to, and then without \hex.
    const auto in_form = [&](unsigned form) { return ldap_bv2dn(&in, &dn, form) == LDAP_SUCCESS; };
    const bool older = name.find('\\') == std::string_view::npos;
    if (!in_form(LDAP_DN_FORMAT_LDAPV3) && !(older && in_form(LDAP_DN_FORMAT_LDAPV2))) return std::nullopt;
    std::string out;
    for (int rdn = 0; dn != nullptr && dn[rdn] != nullptr; ++rdn) {
        for (int i = 0; dn[rdn][i] != nullptr; ++i) {
            const LDAPAVA& ava = *dn[rdn][i];
            if (!names_dc(copy(ava.la_attr))) continue;
            const std::string raw = copy(ava.la_value);
            const auto value = (ava.la_flags & LDAP_AVA_BINARY) != 0 ? string_in_ber(raw) : raw;
            if (!out.empty()) out += '.';
            out += value ? to_lower(*value) : "(no string)";
        }
    }
    ldap_dnfree(dn);
    return out;
}

// What we read and libldap does not: quotes and semicolons of the older form beside something of the newer one, such as
// escapes in hexadecimal digits or an empty value.
bool has_older_form(std::string_view dn) { return dn.find_first_of("\";") != std::string_view::npos; }

// What libldap reads and RFC 4514 does not have: options behind a type, a '#' followed by anything, OIDs of one number
// or with leading zeros.
bool laxly_read(const std::string& dn) {
    static const std::regex lax(R"([;<>"]|= *#|(^|[.,+ ])0[0-9]|(^|[,+]) *[0-9]+ *=)");
    return std::regex_search(dn, lax);
}

std::string any_dn(Chance& chance) {
    constexpr std::string_view types[] = {
        "dc", "DC", "dc", "cn", "ou", "0.9.2342.19200300.100.1.25", "domainComponent", "2.5.4.3"};
    constexpr std::string_view values[] = {"hq",       "example",   "Com",    R"(a\,b)",  R"(\68\71)", R"("h,q")",
                                           R"(h\"q)",  "#16026871", "#0401",  R"(a\\)",   "",          "x y",
                                           R"(\ x\ )", "a=b",       "\"hq\"", "#0c02685A"};
    constexpr std::string_view separators[] = {",", ",", ",", ",", ";", "+", " , ", " + ", ", "};
    constexpr std::string_view equals[] = {"=", "=", "=", " = ", "= "};
    std::string out;
    for (std::size_t left = 1 + chance.below(4); left > 0; --left) {
        out += types[chance.below(std::size(types))];
        out += equals[chance.below(std::size(equals))];
        out += values[chance.below(std::size(values))];
        if (left > 1) out += separators[chance.below(std::size(separators))];
    }
    return out;
}

void mutate_dn(std::string& dn, Chance& chance) {
    constexpr std::string_view telling = "\\\"#,;+= <>.aF0-@";
    if (dn.empty()) return;
    const std::size_t at = chance.below(dn.size());
    const char c = telling[chance.below(telling.size())];
    switch (chance.below(3)) {
        case 0: dn[at] = c; break;
        case 1: dn.insert(at, 1, c); break;
        default: dn.erase(at, 1); break;
    }
}

}  // namespace

TEST(LdapBesideLibldap, FindsTheSameDomainInEveryDnThatBothRead) {
    Chance chance(2247);
    int both = 0;
    for (int turn = 0; turn < 60000; ++turn) {
        std::string dn = any_dn(chance);
        for (std::size_t left = chance.below(4); left > 0; --left) mutate_dn(dn, chance);
        const std::size_t mark = dn.find_first_of("\\=");
        if (mark == std::string::npos || dn[mark] != '=') continue;  // no DN to us
        const BindDomain ours = bind_domain(dn);
        const auto theirs = libldap_domain(dn);
        if (ours.form == NameForm::dn && theirs) {
            ASSERT_EQ(ours.domain, *theirs) << dn;
            ++both;
        } else if (ours.form == NameForm::dn) {
            ASSERT_TRUE(has_older_form(dn)) << dn;
        } else if (theirs && ours.error == NameError::malformed_dn) {
            ASSERT_TRUE(laxly_read(dn)) << dn;
        } else if (theirs && ours.error == NameError::dn_without_domain) {
            ASSERT_EQ(*theirs, "") << dn;
        }
    }
    EXPECT_GT(both, 1000) << "nothing was compared";
}

}  // namespace sallyport::ldap
