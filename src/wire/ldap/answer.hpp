// What a gateway says to a client in a server's place (RFC 4511): an answer to a request, and the notice that it goes.
//
// Each is written into room that the caller owns and fits into max_answer: texts are clipped to max_diagnostic.
#pragma once

#include "base/bytes.hpp"
#include "wire/ldap/result.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace sallyport::ldap {

inline constexpr std::size_t max_answer = 2 * max_diagnostic + 128;  // octets: two texts, headers, an OID
using AnswerRoom = std::array<std::byte, max_answer>;

/// The response that ends the answer to a request: a BindResponse to a bind, a SearchResultDone to a search.
/// @param request_op  tag of the request.
/// @param id  of the request.
/// @return a view into `room`; empty for requests without an answer (unbind, abandon) and for what is no request.
Bytes write_answer(AnswerRoom& room, std::uint8_t request_op, std::int32_t id, const LdapResult& result);

/// The answer to StartTLS (section 4.14.2). TLS begins behind it where the code is success, and only there.
Bytes write_start_tls_answer(AnswerRoom& room, std::int32_t id, const LdapResult& result);

/// Tells the client that the connection ends now and why (section 4.4.1): protocolError for what can't be read,
/// unavailable for a server that goes.
Bytes write_notice_of_disconnection(AnswerRoom& room, const LdapResult& result);

}  // namespace sallyport::ldap
