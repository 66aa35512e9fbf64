// BindRequest (RFC 4511 section 4.2), and what kind of bind it asks for (RFC 4513 section 5).
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "wire/ber/reader.hpp"

#include <cstdint>
#include <string_view>

namespace sallyport::ldap {

enum class BindKind : std::uint8_t {
    simple,  // a name and a password (RFC 4513 section 5.1.3)
    anonymous,  // neither (section 5.1.1)
    unauthenticated,  // a name without a password: must never count as somebody (section 5.1.2)
    nameless,  // a password without a name: no mechanism of RFC 4513
    sasl,  // section 5.2
    other,  // a choice of authentication that RFC 4511 does not have
    unsupported_version,  // not version 3, however it authenticates
};

/// A phrase for people, in lower case, without a period.
std::string_view text(BindKind kind);

/// Views into the operation.
struct BindRequest {
    BindKind kind = BindKind::other;
    std::uint8_t version = 0;  // 1 to 127
    std::string_view name = {};  // as it came; see bind_domain()
    Bytes password = {};  // of simple authentication: never to be written into a record
    std::string_view mechanism = {};  // of SASL; empty there: the client gives up a negotiation (section 4.2)
    bool has_credentials = false;  // of SASL
};

/// @param operation  contents of a BindRequest, as read_message_head() gives them.
Result<BindRequest, ber::Error> read_bind_request(Bytes operation);

}  // namespace sallyport::ldap
