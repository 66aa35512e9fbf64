// The verbs of STUN and TURN: who relays, credentials by hand, and does a server work.
#pragma once

#include "cli/verbs.hpp"

#include <string>

namespace sallyport::cli {

struct TurnOptions {
    std::string user;
    std::string lifetime = "24h";  // of a credential
    std::string host;              // in its URIs; empty: what the configuration says
    std::string uri;               // of a server to be tested
    std::string password;          // with `user`; both empty: by the configuration
    bool insecure = false;         // whatever certificate it shows
};

/// A time-limited credential by the first shared secret, in the shape that web applications hand to browsers.
Exit turn_credential(const Common& common, const TurnOptions& options);
Exit turn_sessions(const Common& common);
/// Allocates at a server over every transport that the URI means, and sends through it.
Exit turn_test(const Common& common, const TurnOptions& options);

}  // namespace sallyport::cli
