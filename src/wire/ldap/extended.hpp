// Extended operations (RFC 4511 section 4.12), of which a gateway knows two by name: StartTLS and the notice of
// disconnection.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "wire/ber/reader.hpp"
#include "wire/ldap/result.hpp"

#include <string_view>

namespace sallyport::ldap {

inline constexpr std::string_view start_tls_oid = "1.3.6.1.4.1.1466.20037";  // section 4.14
inline constexpr std::string_view notice_of_disconnection_oid = "1.3.6.1.4.1.1466.20036";  // section 4.4.1

/// Views into the operation.
struct ExtendedRequest {
    std::string_view oid = {};
    bool has_value = false;

    /// The client waits for the answer and then begins a TLS handshake. Whatever it has sent behind this request before
    /// it could have the answer was written by somebody in between, or may have been: discard it, never read it.
    bool is_start_tls() const { return oid == start_tls_oid; }
};

/// @param operation  contents of an ExtendedRequest, as read_message_head() gives them.
Result<ExtendedRequest, ber::Error> read_extended_request(Bytes operation);

/// Views into the operation.
struct ExtendedResponse {
    LdapResult result = {};
    std::string_view oid = {};  // responseName; empty where there is none
};

/// @param operation  contents of an ExtendedResponse.
Result<ExtendedResponse, ber::Error> read_extended_response(Bytes operation);

}  // namespace sallyport::ldap
