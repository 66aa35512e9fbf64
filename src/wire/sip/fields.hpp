// Header fields of SIP (RFC 3261 sections 7.3 and 20) as views into the caller's buffer, and how their values are taken
// apart.
//
// A value may be folded over several lines (RFC 3261 section 7.3.1): the view holds it as received, line ends and all,
// and everything here treats a line end in a value as a blank, which is what a fold means.
#pragma once

#include "base/bytes.hpp"
#include "wire/field_list.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sallyport::sip {

/// What a field is to a gateway; a compact name (RFC 3261 section 7.3.3) has the kind of the long one.
enum class FieldKind : std::uint8_t {
    other,  // passed on, nothing to act on
    via,  // v
    from,  // f
    to,  // t
    call_id,  // i
    cseq,
    contact,  // m
    max_forwards,
    route,
    record_route,
    content_length,  // l
    content_type,  // c
    content_encoding,  // e
    supported,  // k
    subject,  // s
    allow_events,  // u (RFC 6665)
    event,  // o (RFC 6665)
    refer_to,  // r (RFC 3515)
    referred_by,  // b (RFC 3892)
    session_expires,  // x (RFC 4028)
    authorization,
    proxy_authorization,
    www_authenticate,
    proxy_authenticate,
    expires,
};

struct Field {
    std::string_view name;  // as received, never empty
    std::string_view value;  // without the blanks around it; may be empty, may be folded
    FieldKind kind = FieldKind::other;
};

using FieldList = wire::FieldList<Field>;

inline constexpr std::size_t longest_known_name = 19;  // bytes: proxy-authorization

/// What a field of this name (any case, long or compact) is. What is no token is no name that is known.
FieldKind kind_of(std::string_view name);
/// The same of the name that is the first `size` bytes of `text`: quicker where more stands behind it.
FieldKind kind_at_front(std::string_view text, std::size_t size);

/// The first field of this kind; null when there is none.
const Field* find(const FieldList& fields, FieldKind kind);
/// The fields of this kind, counted by lines: members joined with commas are one.
std::size_t count(const FieldList& fields, FieldKind kind);

/// Takes the next member of a comma-separated list off the front of `rest` (RFC 3261 section 7.3.1): trimmed, empty
/// members skipped; commas in quoted strings and between < and > do not part members. Nothing at the end.
std::optional<std::string_view> next_member(std::string_view& rest);

/// One ";name=value" of a field or URI; the value is empty where there is none, and keeps its quotes.
struct Parameter {
    std::string_view name;
    std::string_view value;
    bool has_value = false;
};

/// Takes ";name" or ";name=value" with blanks anywhere between off the front of `rest` (generic-param of RFC 3261
/// section 25.1). Nothing at the end and where something else stands; then `rest` is left as it was.
std::optional<Parameter> next_parameter(std::string_view& rest);

}  // namespace sallyport::sip
