// How a refusal is told in SIP.
#pragma once

#include "base/address.hpp"
#include "telemetry/reason.hpp"
#include "wire/sip/message.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace sallyport::gate::sip {

struct Refused {
    telemetry::Reason reason = telemetry::Reason::ok;
    std::string_view detail = {};  // what was wrong with the request, for people; may be empty
    std::uint16_t status = 0;      // 0: the one that the reason has
    std::string_view tag = {};     // for To
    SocketAddress client;          // told in the topmost Via, where it has been asked for
};

/// What a head that can't be read comes to.
telemetry::Reason reason_of(sallyport::sip::MessageError error);

/// The status for a reason (RFC 3261 section 21).
std::uint16_t status_of(telemetry::Reason reason);

/// The whole answer; empty where nothing is answered: to an ACK, and to what is no request. Its Warning says why, and
/// never names a target or another service.
std::string write_refusal(const sallyport::sip::Message& request, const Refused& refused);

/// A tag that nobody had before.
std::string new_tag();

}  // namespace sallyport::gate::sip
