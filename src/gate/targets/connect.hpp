// From a decision to an open connection: the targets of a service in their order, TLS where the leg asks for it, the
// PROXY header where the target wants to know who asks.
#pragma once

#include "egress/book.hpp"
#include "gate/router.hpp"
#include "gate/session.hpp"
#include "gate/targets/kept.hpp"
#include "gate/targets/order.hpp"
#include "net/dial.hpp"
#include "net/names.hpp"
#include "telemetry/reason.hpp"

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::gate {

struct LoopSnapshot;

struct ConnectFailure {
    telemetry::Reason reason = telemetry::Reason::target_down;
    std::string target = {};  // the last one tried; empty: there was none to try
    std::string detail = {};
};

/// Which connections may be used that have carried other requests.
enum class Reuse : std::uint8_t {
    none,
    fresh,  // that have waited for a moment only: no server closes so soon, so even a POST may go by one
    any,    // also those that the target may be closing this moment: for requests that may be sent again
};

/// One search for a target, for one request or tunnel.
class TargetSearch {
public:
    /// @param decision  admitted, and not for a builtin
    /// @param name      what the client asked for: SNI and certificate name where the target is a bare address
    TargetSearch(Session& session, const io::Stream& client, std::shared_ptr<const LoopSnapshot> snapshot,
                 const Decision& decision, std::string_view name);

    /// The next connection: kept or new, at the first target that gives one. Called again when the last one turned out
    /// to be of no use: a kept one is followed by a new one to the same target, a new one by the next target.
    io::Task<std::expected<TargetConnection, ConnectFailure>> next(Reuse reuse);

    /// Did the last one carry requests before?
    bool reused() const { return reused_; }
    /// Is there another target to try?
    bool more() const { return at_ < order_.count; }

private:
    using Connected = std::expected<TargetConnection, ConnectFailure>;

    io::Task<std::optional<ConnectFailure>> find_sources();
    io::Task<Connected> connect(std::size_t target);
    std::optional<TargetConnection> take_kept(std::size_t target, Reuse reuse);
    const std::string& server_name(std::size_t target) const;
    std::string proxy_header() const;
    void note_failure(TargetState& state, telemetry::Reason reason);

    Session& session_;
    const io::Stream& client_;
    std::shared_ptr<const LoopSnapshot> snapshot_;
    const Service& service_;
    bool leg_tls_;
    std::uint16_t port_;
    std::string name_;
    Order order_;
    std::optional<egress::Choice> from_;  // the client's, once it is known
    std::size_t at_ = 0;  // in the order
    bool reused_ = false;
};

/// How records and explanations call a target: "172.16.0.10:80", "pbx.example.com:443", "builtin:welcome".
std::string target_text(const config::Target& target, std::uint16_t port);

/// For SNI and certificates of targets: all of the name that a service is asked for by, but of a gatekeeper id what
/// stands in front of its location ("example.com/branch").
std::string_view host_in(config::Protocol protocol, std::string_view name);

/// The addresses to race for one target, and where from.
net::DialPlan plan_for(const config::Service& settings, const config::Target& target, std::uint16_t port,
                       const net::NameTable* names);

/// What a record says of a connection that did not come about.
telemetry::Reason reason_of(io::ConnectFailure failure);

/// May a connection to this service's targets carry what other clients ask for?
bool may_be_kept(const config::Service& service);

}  // namespace sallyport::gate
