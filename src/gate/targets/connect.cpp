#include "gate/targets/connect.hpp"

#include "gate/gate.hpp"
#include "gate/proxy_header.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

namespace sallyport::gate {

namespace {

using namespace std::chrono_literals;
using telemetry::Reason;

constexpr Duration fresh_for = 1s;

}  // namespace

Reason reason_of(io::ConnectFailure failure) {
    switch (failure) {
        case io::ConnectFailure::refused: return Reason::target_refused;
        case io::ConnectFailure::timeout: return Reason::target_timeout;
        case io::ConnectFailure::unreachable: return Reason::target_unreachable;
        case io::ConnectFailure::cancelled: return Reason::killed;
        case io::ConnectFailure::local: return Reason::limit_descriptors;
    }
    return Reason::target_unreachable;
}

std::string target_text(const config::Target& target, std::uint16_t port) {
    if (target.kind == config::Target::Kind::builtin) return "builtin:" + target.text;
    if (target.kind == config::Target::Kind::address) return SocketAddress{target.address, port}.to_string();
    return target.text + ":" + std::to_string(port);
}

net::DialPlan plan_for(const config::Service& settings, const config::Target& target, std::uint16_t port,
                       const net::NameTable* names) {
    net::DialPlan plan;
    if (settings.source) plan.source = settings.source->value;
    if (target.kind == config::Target::Kind::address) {
        plan.addresses.push_back({target.address, port});
    } else if (names != nullptr) {
        for (const IpAddress& address : names->find(target.text)) plan.addresses.push_back({address, port});
    }
    return plan;
}

std::string_view host_in(config::Protocol protocol, std::string_view name) {
    return protocol == config::Protocol::h323 ? name.substr(0, name.find('/')) : name;
}

bool may_be_kept(const config::Service& service) {
    return service.proxy_protocol == config::ProxyProtocol::none && service.max_connections == 0;
}

TargetSearch::TargetSearch(Session& session, const io::Stream& client, std::shared_ptr<const LoopSnapshot> snapshot,
                           const Decision& decision, std::string_view name)
    : session_(session),
      client_(client),
      snapshot_(std::move(snapshot)),
      service_(*decision.service),
      leg_tls_(decision.leg_tls),
      port_(decision.port),
      name_(host_in(service_.settings->protocol, name)),
      order_(order_targets(service_, session.client.ip, session.gate.next_turn(service_))) {}

io::Task<TargetSearch::Connected> TargetSearch::next(Reuse reuse) {
    ConnectFailure last;
    if (session_.gate.sources() != nullptr && !from_) {
        if (auto failure = co_await find_sources()) co_return std::unexpected(std::move(*failure));
    }
    while (more()) {
        const std::size_t target = order_.index[at_];
        if (reuse != Reuse::none && !reused_) {
            if (auto kept = take_kept(target, reuse)) {
                reused_ = true;
                co_return std::move(*kept);
            }
        }
        reused_ = false;
        ++at_;
        auto connected = co_await connect(target);
        if (connected) co_return std::move(*connected);
        last = std::move(connected.error());
        if (session_.cancellation.requested() || last.reason == Reason::limit_service) break;
    }
    co_return std::unexpected(std::move(last));
}

// What this client's connections go out from. Without an answer they don't: from another address they would be somebody
// else's.
io::Task<std::optional<ConnectFailure>> TargetSearch::find_sources() {
    egress::Lookup& sources = *session_.gate.sources();
    if (const egress::Choice* known = sources.known(session_.client.ip, session_.gate.loop().now()))
        from_ = *known;
    else
        from_ = co_await sources.find(session_.client.ip);
    if (from_) co_return std::nullopt;
    co_return ConnectFailure{Reason::egress_unknown, "", "the control loop does not answer"};
}

std::optional<TargetConnection> TargetSearch::take_kept(std::size_t target, Reuse reuse) {
    if (!may_be_kept(*service_.settings)) return std::nullopt;
    const Duration younger_than = reuse == Reuse::fresh ? fresh_for : KeptConnections::kept_for;
    return session_.gate.kept().take(*service_.targets[target], leg_tls_,
                                     leg_tls_ ? std::string_view(server_name(target)) : std::string_view{},
                                     from_ ? from_->sources : egress::Sources{}, younger_than, session_.cancellation);
}

const std::string& TargetSearch::server_name(std::size_t target) const {
    const config::Target& settings = service_.settings->targets[target].value;
    return settings.kind == config::Target::Kind::host ? settings.text : name_;
}

io::Task<TargetSearch::Connected> TargetSearch::connect(std::size_t target) {
    Gate& gate = session_.gate;
    const config::Service& settings = *service_.settings;
    const config::Target& where = settings.targets[target].value;
    TargetState& state = *service_.targets[target];
    const std::string text = target_text(where, port_);
    const auto failed = [&](Reason reason, std::string detail, bool target_is_at_fault) {
        if (target_is_at_fault) note_failure(state, reason);
        return std::unexpected(ConnectFailure{reason, text, std::move(detail)});
    };

    auto lease = Lease::take(service_.targets[target], service_.state, settings.max_connections);
    if (!lease) co_return failed(Reason::limit_service, "", false);
    net::DialPlan plan = plan_for(settings, where, port_, gate.names().get());
    if (plan.addresses.empty()) co_return failed(Reason::target_unresolved, "", true);
    if (from_ && !plan.source) {
        plan.sources = from_->sources;
        std::erase_if(plan.addresses, [this](const SocketAddress& to) { return from_->refused(to.ip); });
        if (plan.addresses.empty()) co_return failed(Reason::egress_exhausted, "", false);
    }

    const std::uint32_t epoch = gate.kept().epoch();
    const SteadyTime began = gate.loop().now();
    const io::Deadline deadline = gate.loop().in(settings.connect_timeout);
    auto stream = co_await net::dial(gate.loop(), session_.cancellation, std::move(plan), deadline);
    if (!stream) {
        const io::ConnectFailure how = stream.error().failure;
        const int error = stream.error().error;
        const bool local = how == io::ConnectFailure::cancelled || how == io::ConnectFailure::local;
        const Reason reason = how == io::ConnectFailure::cancelled ? session_.ended_by : reason_of(how);
        co_return failed(reason, error == 0 ? "" : std::strerror(error), !local);
    }
    state.connected(gate.loop().now() - began);
    if (settings.proxy_protocol != config::ProxyProtocol::none) stream->write(as_bytes(proxy_header()));
    TargetConnection connection{std::move(*stream), std::move(*lease), text, {}, leg_tls_, epoch};
    if (from_) connection.sources = from_->sources;
    if (!leg_tls_) co_return connection;

    connection.server_name = server_name(target);
    const auto& client = snapshot_->tls_clients[service_.index];
    connection.stream.attach(client->connect(connection.server_name));
    io::Handshake shaken = co_await io::handshake(connection.stream, deadline);
    if (shaken.failure == io::TlsFailure::none) co_return connection;
    const Reason reason = shaken.failure == io::TlsFailure::timeout     ? Reason::target_timeout
                          : shaken.failure == io::TlsFailure::cancelled ? session_.ended_by
                                                                        : Reason::target_tls;
    // A certificate that does not fit the name this client asked for says nothing of the target's health.
    const bool at_fault = shaken.failure != io::TlsFailure::certificate && shaken.failure != io::TlsFailure::cancelled;
    co_return failed(reason, std::move(shaken.detail), at_fault);
}

// Once the target is known to fail, that is an outage, and nobody's fault.
void TargetSearch::note_failure(TargetState& state, Reason reason) {
    Gate& gate = session_.gate;
    if (state.condition() == Condition::up) {
        gate.guard().suspect({.client = session_.client.ip,
                              .protocol = protocol_of(session_.protocol),
                              .sign = guard::Sign::target_failed,
                              .time = gate.loop().now()});
    }
    state.not_connected(reason, gate.loop().wall());
}

std::string TargetSearch::proxy_header() const {
    return write_proxy_header(service_.settings->proxy_protocol, session_.client, reached_at(session_, client_));
}

}  // namespace sallyport::gate
