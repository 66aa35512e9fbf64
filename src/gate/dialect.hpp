// What the gate asks of every protocol it can route.
//
// A dialect is one folder under gate/ and one row in gate/dialects.cpp: to add one, write both. The row says which
// listeners speak it and how a connection of it is served from its first byte to its record.
#pragma once

#include "base/bytes.hpp"
#include "config/config.hpp"
#include "io/stream.hpp"
#include "io/task.hpp"
#include "telemetry/protocol.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace sallyport::gate {

struct Session;
struct Tunnel;

/// Do these first bytes begin a connection of this protocol?
enum class Recognized : std::uint8_t { no, maybe, yes };

struct Dialect {
    config::Protocol word;  // `protocol` of [[service]]
    config::Listen::Addresses config::Listen::* plain;  // the keys of [listen]
    config::Listen::Addresses config::Listen::* tls;
    /// Told by the first bytes, one at least; `maybe`: by more of them. Bytes that one dialect is sure of, no other one
    /// is.
    Recognized (*recognize)(Bytes first);
    bool starts_tls;  // on the plain port too, when the client asks for it
    /// Serves one connection until it has ended (no tunnel), or until it is routed for good: then the tunnel's record
    /// is its last. Up to there it ends in exactly one record, or for http in one a request.
    io::Task<std::unique_ptr<Tunnel>> (*serve)(Session& session, io::Stream& client);
};

/// Every dialect in this build, in the order of the manual.
std::span<const Dialect> dialects();

/// The kind of a listener for all of them: its first bytes tell. Other kinds are places in dialects().
inline constexpr int mux_kind = -1;

/// What records and metrics call it: the same word.
constexpr telemetry::Protocol protocol_of(config::Protocol word) {
    return static_cast<telemetry::Protocol>(static_cast<std::size_t>(word));
}
static_assert([] {
    for (std::size_t i = 0; i < config::words_of<config::Protocol>.size(); ++i) {
        if (config::words_of<config::Protocol>[i] != telemetry::protocol_names[i]) return false;
    }
    return true;
}());

}  // namespace sallyport::gate
