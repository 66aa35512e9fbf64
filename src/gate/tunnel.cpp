#include "gate/tunnel.hpp"

#include "gate/dialect.hpp"
#include "gate/gate.hpp"
#include "io/sockets.hpp"

namespace sallyport::gate {

namespace {

constexpr Duration goodbye_within = std::chrono::seconds(2);

telemetry::Reason reason_of(io::RelayEnd end, const Session& session, const Tunnel& tunnel) {
    using telemetry::Reason;
    switch (end) {
        case io::RelayEnd::both_closed: return Reason::ok;
        case io::RelayEnd::client_failed: return Reason::client_reset;
        case io::RelayEnd::target_failed: return Reason::target_closed;
        case io::RelayEnd::idle: return Reason::idle_timeout;
        case io::RelayEnd::refused: return tunnel.watch->reason();
        case io::RelayEnd::cancelled: return session.ended_by;
    }
    return Reason::ok;
}

void count_bytes(Gate& gate, Tunnel& tunnel) {
    gate.counters().passed(protocol_of(tunnel.protocol), tunnel.relayed.to_target - tunnel.counted.to_target,
                           tunnel.relayed.to_client - tunnel.counted.to_client);
    tunnel.counted = tunnel.relayed;
}

void report(const Session& session, const Tunnel& tunnel, telemetry::Reason reason) {
    const auto protocol = protocol_of(tunnel.protocol);
    session.gate.report({.time = tunnel.began,
                         .protocol = protocol,
                         .listener = session.listener->address,
                         .client = session.client,
                         .service = tunnel.service,
                         .looked_for = tunnel.looked_for,
                         .nearest = {},
                         .target = tunnel.target.text,
                         .tls_client = tunnel.tls_client,
                         .tls_target = tunnel.target.tls,
                         .verdict = telemetry::Verdict::forwarded,
                         .reason = reason,
                         .bytes_in = tunnel.relayed.to_target,
                         .bytes_out = tunnel.relayed.to_client,
                         .duration = session.gate.loop().now() - tunnel.since,
                         .method = tunnel.method,
                         .url = tunnel.url,
                         .status = tunnel.status,
                         .detail = tunnel.watch ? tunnel.watch->detail() : std::string_view{}});
}

}  // namespace

io::Task<std::expected<std::unique_ptr<Tunnel>, ConnectFailure>> open_tunnel(Session& session, const io::Stream& client,
                                                                             SnapshotHandle snapshot, Decision decision,
                                                                             std::string name) {
    const std::string& service = decision.service->name;
    session.busy_with(service, {});
    TargetSearch search(session, client, snapshot, decision, name);
    auto target = co_await search.next(Reuse::none);
    session.at_rest();
    if (!target) co_return std::unexpected(std::move(target.error()));
    co_return std::make_unique<Tunnel>(Tunnel{.target = std::move(*target),
                                              .protocol = session.protocol,
                                              .tls_client = session.tls || client.is_tls(),
                                              .service = service,
                                              .looked_for = std::move(name),
                                              .method = {},
                                              .url = {},
                                              .since = session.since,
                                              .began = session.gate.loop().wall_at(session.since),
                                              .relayed = {}});
}

void look_after(Session& session) {
    Tunnel& tunnel = *session.tunnel;
    count_bytes(session.gate, tunnel);
    if (tunnel.watched_by_kernel) return;
    io::keep_alive(tunnel.client->fd());
    io::keep_alive(tunnel.target.stream.fd());
    tunnel.watched_by_kernel = true;
}

io::Task<void> carry(Session& session, io::Stream& client, std::unique_ptr<Tunnel> tunnel) {
    tunnel->client = &client;
    session.protocol = tunnel->protocol;
    session.busy_with(tunnel->service, tunnel->target.text);
    session.tunnel = tunnel.get();
    session.gate.has_tunnel();
    const io::RelayEnd end =
        co_await io::relay(client, tunnel->target.stream, {}, tunnel->relayed, tunnel->watch.get());
    session.tunnel = nullptr;
    session.at_rest();
    count_bytes(session.gate, *tunnel);
    if (tunnel->watch) tunnel->watch->over(end);
    report(session, *tunnel, reason_of(end, session, *tunnel));
    if (!tunnel->watch) co_return;
    if (end == io::RelayEnd::cancelled) tunnel->watch->say_goodbye(client, session.ended_by);
    // Its last words must arrive. The session's awaits are cancelled by now: only what the socket takes at once leaves.
    if (end == io::RelayEnd::cancelled || end == io::RelayEnd::refused)
        co_await close_lingering(client, session.gate.loop().in(goodbye_within));
}

}  // namespace sallyport::gate
