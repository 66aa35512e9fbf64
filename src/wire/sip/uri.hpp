// URIs as SIP messages carry them (RFC 3261 section 19.1), and the name-addr forms around them (sections 20.10, 20.20
// and 25.1).
//
// Read strictly: a gateway that finds another host in a URI than its target does sends the message to the wrong one.
#pragma once

#include "wire/sip/host.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace sallyport::sip {

enum class Scheme : std::uint8_t { sip, sips, tel, other };

/// A URI in its parts. All but the host are views into what was parsed.
struct Uri {
    Scheme scheme = Scheme::other;
    std::string_view scheme_text;  // as received
    std::string_view user;  // escapes kept; may hold ';' and '?'; empty where there is none, and for tel and others
    std::string_view password;  // behind the ':' of the user
    Host host;  // of sip and sips; empty for the others
    std::optional<std::uint16_t> port;
    std::string_view parameters;  // of sip and sips, from the first ';' on; else empty
    std::string_view headers;  // behind the '?'
    std::string_view opaque;  // everything behind the scheme's colon
};

/// Reads a whole URI: no blanks, no brackets around it.
///
/// One '@' at most may stand unescaped: the grammar has it nowhere but behind the userinfo, and with two of them,
/// readers differ on which one the host follows. '#' in a user is let pass, for phones send it.
/// @return false: not a URI; `uri` then holds nothing of use.
bool parse_uri(std::string_view text, Uri& uri);

/// The value of From, To or one Contact: an address with what belongs to it.
struct Address {
    std::string_view display_name;  // without its quotes, escapes and folds kept; empty where there is none
    Uri uri;
    std::string_view tag;  // empty where there is none
    std::string_view parameters;  // of the field, from the first ';' on
    bool in_brackets = false;  // <uri>; else a bare addr-spec, whose ';' all begin parameters of the field
};

/// Reads the value of a From, To or Contact field that holds one address.
///
/// Bytes above 127 are let pass in a display name that is not quoted. A bare addr-spec may hold neither ',' nor '?'
/// (RFC 3261 section 20).
/// @param value  as in Field::value, folds and all.
/// @return false: malformed, more than one address, more than one tag.
bool parse_address(std::string_view value, Address& address);

}  // namespace sallyport::sip
