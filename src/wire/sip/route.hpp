// What a request is routed by: the host of its From URI.
#pragma once

#include "base/result.hpp"
#include "wire/sip/host.hpp"
#include "wire/sip/message.hpp"

#include <cstdint>
#include <string_view>

namespace sallyport::sip {

/// Why a request has no host to be routed by.
enum class NoName : std::uint8_t {
    missing,  // no From
    several,  // more than one From
    malformed,  // a From that is no address (RFC 3261 section 20.20)
    tel,  // a telephone number, of no domain (RFC 3966)
    anonymous,  // anonymous.invalid (RFC 3323 section 4.1.1.3)
    other_scheme,  // a URI that is neither sip, sips nor tel
};

/// A phrase for people, in lower case, without a period.
std::string_view text(NoName why);

struct RouteName {
    Host host;
    bool secure = false;  // sips: TLS on each hop is asked for (RFC 3261 section 26.2.2)
};

/// The host of the From field, of a request or a response.
Result<RouteName, NoName> route_name(const Message& message);

/// What of a From field decides its route, where nothing but a tag stands behind the address in brackets; else nothing.
/// Two that are alike in this route alike, if one of them is an address at all: senders take another tag for each
/// request.
std::string_view without_tag(std::string_view from);

/// Does this request belong to a dialog (RFC 3261 section 12.2)? Its To has a tag then. Its From is what the dialog
/// calls its sender: for one that was called, whatever the caller had written into To.
bool is_within_dialog(const Message& request);

}  // namespace sallyport::sip
