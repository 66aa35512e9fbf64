// The one decision: who asks for what, and whether and where it goes. A pure function; live traffic, `explain`, the API
// and the tests call the same one, so that an explanation can't drift from the truth.
#pragma once

#include "base/address.hpp"
#include "config/config.hpp"
#include "crypto/trust.hpp"
#include "gate/snapshot.hpp"
#include "telemetry/reason.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::gate {

/// What the first message of a connection, or a request, asks for.
struct Ask {
    config::Protocol protocol = config::Protocol::http;
    std::string_view name;  // to route by, in the form services are named in; empty: none was said
    IpAddress client;
    bool tls = false;  // how it came
    std::optional<std::string_view> path = {};  // http: raw, before '?'
    /// https: the name that the handshake asked for. Empty: none, or the sender is trusted to mix names.
    std::string_view server_name = {};
    crypto::Verdict certificate = crypto::Verdict::none;  // that the client showed in the handshake
    bool certificate_fits = false;  // it is for the name that the client registers (sip, h323)
    bool secure = false;  // TLS is asked for on each hop (sips:)
};

struct Decision {
    telemetry::Reason reason = telemetry::Reason::ok;
    const Service* service = nullptr;  // the one that was found, also where it refuses; lives with the snapshot
    bool leg_tls = false;  // encryption towards the target
    std::uint16_t port = 0;  // of the target; 0 for a builtin

    bool admitted() const { return reason == telemetry::Reason::ok && service != nullptr; }
};

/// One rule that was tried, and what came of it.
struct Step {
    std::string rule;
    config::Place place;
    std::string result;  // "match", "no match", "not admitted" ...
};
using Trail = std::vector<Step>;

/// @param trail  filled with every rule tried, in order; null on the live path, where nobody reads it.
Decision decide(const Snapshot& snapshot, const Ask& ask, Trail* trail = nullptr);

}  // namespace sallyport::gate
