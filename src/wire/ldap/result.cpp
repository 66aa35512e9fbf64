#include "wire/ldap/result.hpp"

#include "wire/ldap/message.hpp"

#include <algorithm>
#include <iterator>

namespace sallyport::ldap {

namespace {

struct Name {
    std::int32_t code;
    std::string_view text;
};

constexpr Name names[] = {
    {0, "success"},
    {1, "operationsError"},
    {2, "protocolError"},
    {3, "timeLimitExceeded"},
    {4, "sizeLimitExceeded"},
    {5, "compareFalse"},
    {6, "compareTrue"},
    {7, "authMethodNotSupported"},
    {8, "strongerAuthRequired"},
    {10, "referral"},
    {11, "adminLimitExceeded"},
    {12, "unavailableCriticalExtension"},
    {13, "confidentialityRequired"},
    {14, "saslBindInProgress"},
    {16, "noSuchAttribute"},
    {17, "undefinedAttributeType"},
    {18, "inappropriateMatching"},
    {19, "constraintViolation"},
    {20, "attributeOrValueExists"},
    {21, "invalidAttributeSyntax"},
    {32, "noSuchObject"},
    {33, "aliasProblem"},
    {34, "invalidDNSyntax"},
    {36, "aliasDereferencingProblem"},
    {48, "inappropriateAuthentication"},
    {49, "invalidCredentials"},
    {50, "insufficientAccessRights"},
    {51, "busy"},
    {52, "unavailable"},
    {53, "unwillingToPerform"},
    {54, "loopDetect"},
    {64, "namingViolation"},
    {65, "objectClassViolation"},
    {66, "notAllowedOnNonLeaf"},
    {67, "notAllowedOnRDN"},
    {68, "entryAlreadyExists"},
    {69, "objectClassModsProhibited"},
    {71, "affectsMultipleDSAs"},
    {80, "other"},
};

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

}  // namespace

std::string_view result_name(std::int32_t code) {
    const auto* at = std::ranges::find(names, code, &Name::code);
    return at == std::end(names) ? std::string_view() : at->text;
}

std::string_view clip(std::string_view text, std::size_t size) {
    if (text.size() <= size) return text;
    while (size > 0 && is_continuation(text[size])) --size;
    return text.substr(0, size);
}

Result<LdapResult, ber::Error> read_result(Bytes operation) {
    ber::Reader reader(operation, operation_depth);
    const auto code = reader.integer(ber::enumerated_tag);
    if (!code) return fail(code.error());
    if (*code < 0) return fail(ber::Error::bad_integer);
    const auto matched_dn = reader.octets();
    if (!matched_dn) return fail(matched_dn.error());
    const auto diagnostic = reader.octets();
    if (!diagnostic) return fail(diagnostic.error());
    return LdapResult{.code = *code, .matched_dn = clip(*matched_dn), .diagnostic = clip(*diagnostic)};
}

}  // namespace sallyport::ldap
