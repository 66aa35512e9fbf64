// Header and trailer fields of HTTP/1 as views into the caller's buffer, and what may be asked of them.
//
// Every field is classified once, when it is read: framing, routing, what concerns one connection only, what only a
// trusted proxy may claim. Whoever forwards a message then decides by kind, not by comparing names again.
#pragma once

#include "base/bytes.hpp"
#include "wire/field_list.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace sallyport::http {

enum class FieldKind : std::uint8_t {
    other,  // end to end, nothing that a gateway acts on
    host,  // RFC 9110 section 7.2
    content_length,  // RFC 9112 section 6.2
    transfer_encoding,  // RFC 9112 section 6.1
    connection,  // RFC 9110 section 7.6.1
    upgrade,  // RFC 9110 section 7.8
    expect,  // RFC 9110 section 10.1.1
    via,  // RFC 9110 section 7.6.3
    trailer,  // RFC 9110 section 6.6.2
    hop_by_hop,  // the rest of what one connection keeps to itself: Keep-Alive, TE, Proxy-*, HTTP2-Settings
    forwarded,  // RFC 7239
    forwarded_for,  // X-Forwarded-For
    forwarded_host,  // X-Forwarded-Host
    forwarded_proto,  // X-Forwarded-Proto
    authentication,  // Authorization, WWW-Authenticate: end to end
    identity,  // what a gateway says of a client's certificate: Client-Cert (RFC 9440), X-SSL-Client-*; from nobody
               // else
    claim,  // what else only a trusted proxy may say: X-Forwarded-*, X-Real-IP, X-Original-URL
    look_alike,  // one of the above but for '_' instead of '-', which CGI-style targets read as the same name
};

struct Field {
    std::string_view name;  // as received, never empty
    std::string_view value;  // without the blanks around it; may be empty
    FieldKind kind = FieldKind::other;
};

using FieldList = wire::FieldList<Field>;

/// What a field of this name (a token, any case) is to a gateway.
FieldKind kind_of(std::string_view name);

/// The first field of this name, any case; null when there is none.
const Field* find(const FieldList& fields, std::string_view name);

/// Takes the next member of a comma-separated list off the front of `rest` (RFC 9110 section 5.6.1): trimmed, empty
/// members skipped, commas in quoted strings kept. Nothing at the end.
std::optional<std::string_view> next_member(std::string_view& rest);

/// Does this list hold this member, in any case?
bool has_member(std::string_view list, std::string_view member);

/// Is this field listed in a Connection field of its message?
bool named_in_connection(const FieldList& fields, std::string_view name);

/// May this field stand in a trailer section and be passed on (RFC 9110 section 6.5.1)? Framing, routing,
/// authentication, caching, content and forwarding fields may not.
bool allowed_in_trailer(const Field& field);

}  // namespace sallyport::http
