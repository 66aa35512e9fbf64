// LDAPResult (RFC 4511 section 4.1.9): how a server says what became of a request, and the names of its codes.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "wire/ber/reader.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sallyport::ldap {

/// The codes that this program sends or looks at; result_name() knows all.
namespace code {
inline constexpr std::int32_t success = 0;
inline constexpr std::int32_t operations_error = 1;
inline constexpr std::int32_t protocol_error = 2;
inline constexpr std::int32_t auth_method_not_supported = 7;
inline constexpr std::int32_t stronger_auth_required = 8;
inline constexpr std::int32_t confidentiality_required = 13;
inline constexpr std::int32_t sasl_bind_in_progress = 14;
inline constexpr std::int32_t no_such_object = 32;
inline constexpr std::int32_t invalid_dn_syntax = 34;
inline constexpr std::int32_t inappropriate_authentication = 48;
inline constexpr std::int32_t invalid_credentials = 49;
inline constexpr std::int32_t insufficient_access_rights = 50;
inline constexpr std::int32_t busy = 51;
inline constexpr std::int32_t unavailable = 52;
inline constexpr std::int32_t unwilling_to_perform = 53;
inline constexpr std::int32_t other = 80;
}  // namespace code

/// The name in RFC 4511 appendix A, such as "invalidCredentials"; empty for codes that are not there.
std::string_view result_name(std::int32_t code);

inline constexpr std::size_t max_diagnostic =
    512;  // octets of a text that is read or written here; the rest is cut off

/// Without the octets beyond `size`, and without the beginning of a UTF-8 character that they cut through.
std::string_view clip(std::string_view text, std::size_t size = max_diagnostic);

struct LdapResult {
    std::int32_t code = code::success;  // 0 or more; later documents add to those of RFC 4511
    std::string_view matched_dn = {};
    std::string_view diagnostic = {};
};

/// Reads what every response that ends a request begins with: code, matchedDN, diagnosticMessage. What follows belongs
/// to the operation and is not looked at.
/// @param operation  contents of the response; the views are into it, clipped to max_diagnostic each.
Result<LdapResult, ber::Error> read_result(Bytes operation);

}  // namespace sallyport::ldap
