#include "gate/targets.hpp"

#include "net/dial.hpp"

#include <cstring>

namespace sallyport::gate {

namespace {

using telemetry::Reason;

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

std::string text_of(const config::Target& target, std::uint16_t port) {
    if (target.kind == config::Target::Kind::address) return SocketAddress{target.address, port}.to_string();
    return target.text + ":" + std::to_string(port);
}

net::DialPlan plan_for(const Gate& gate, const config::Service& settings, const config::Target& target,
                       std::uint16_t port) {
    net::DialPlan plan;
    if (settings.source) plan.source = settings.source->value;
    if (target.kind == config::Target::Kind::address) {
        plan.addresses.push_back({target.address, port});
    } else if (gate.names()) {
        for (const IpAddress& address : gate.names()->find(target.text)) plan.addresses.push_back({address, port});
    }
    return plan;
}

io::Task<std::expected<Dialed, DialFailure>> dial_one(Gate& gate, io::Cancellation& cancellation,
                                                      const LoopSnapshot& snapshot, Decision decision,
                                                      const config::Target& target, const std::string& name) {
    const config::Service& settings = *decision.service->settings;
    const std::string text = text_of(target, decision.port);
    net::DialPlan plan = plan_for(gate, settings, target, decision.port);
    if (plan.addresses.empty()) co_return std::unexpected(DialFailure{Reason::target_unresolved, text, ""});

    const io::Deadline deadline = gate.loop().in(settings.connect_timeout);
    auto stream = co_await net::dial(gate.loop(), cancellation, std::move(plan), deadline);
    if (!stream) {
        const int error = stream.error().error;
        co_return std::unexpected(
            DialFailure{reason_of(stream.error().failure), text, error == 0 ? "" : std::strerror(error)});
    }
    if (!decision.leg_tls) co_return Dialed{std::move(*stream), text};

    const auto& client = snapshot.tls_clients[decision.service->index];
    stream->attach(client->connect(target.kind == config::Target::Kind::host ? target.text : name));
    io::Handshake shaken = co_await io::handshake(*stream, deadline);
    if (shaken.failure == io::TlsFailure::none) co_return Dialed{std::move(*stream), text};
    const Reason reason = shaken.failure == io::TlsFailure::timeout ? Reason::target_timeout : Reason::target_tls;
    co_return std::unexpected(DialFailure{reason, text, std::move(shaken.detail)});
}

}  // namespace

io::Task<std::expected<Dialed, DialFailure>> dial_target(Gate& gate, io::Cancellation& cancellation,
                                                         SnapshotHandle snapshot, Decision decision, std::string name) {
    DialFailure last;
    for (const auto& target : decision.service->settings->targets) {
        auto dialed = co_await dial_one(gate, cancellation, *snapshot, decision, target.value, name);
        if (dialed) co_return std::move(*dialed);
        last = std::move(dialed.error());
        if (cancellation.requested()) break;
    }
    co_return std::unexpected(std::move(last));
}

}  // namespace sallyport::gate
