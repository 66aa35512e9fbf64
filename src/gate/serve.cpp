// The story of every connection, top to bottom: who is it, is there room for it, does it pass unopened; then its
// dialect serves it, and where it is routed for good, bytes pass until one side ends it.
#include "gate/serve.hpp"

#include "gate/dialect.hpp"
#include "gate/gate.hpp"
#include "gate/proxy_header.hpp"
#include "gate/refusal.hpp"
#include "gate/tls/pass_by_sni.hpp"
#include "gate/tunnel.hpp"

namespace sallyport::gate {

namespace {

using telemetry::Reason;

void refuse(Session& session, io::Stream& client, Reason reason, std::string_view detail) {
    report_refusal(session, {.reason = reason, .detail = detail, .tls_client = session.listener->tls}, session.since);
    client.reset();  // nothing is known of the peer's protocol yet: a reset is understood in all
}

// The balancer in front says who the client is. False: the connection has ended.
io::Task<bool> learn_client(Session& session, io::Stream& client) {
    const ProxyHeaderRead header = co_await read_proxy_header(session, client);
    if (header.silent) co_return false;
    if (header.reason != Reason::ok) refuse(session, client, header.reason, header.detail);
    co_return header.reason == Reason::ok;
}

bool enter(Session& session, io::Stream& client) {
    Gate& gate = session.gate;
    const std::uint32_t most = gate.most_of_client();
    session.counted = gate.shared().clients.enter(session.client.ip, most);
    if (!session.counted) refuse(session, client, Reason::limit_client, "at most " + std::to_string(most));
    return session.counted;
}

}  // namespace

io::Task<void> serve(Gate& gate, listeners::ListenerHandle listener, io::Accepted accepted) {
    const Dialect& dialect = dialects()[static_cast<std::size_t>(listener->kind)];
    Session session(gate, std::move(listener), accepted.peer);
    session.protocol = dialect.word;
    auto client = io::Stream::adopt(gate.loop(), std::move(accepted.fd), session.cancellation);
    if (!client) co_return;  // epoll has no room: the descriptor is closed, the client sees a reset
    if (gate.snapshot()->routing->proxy_from().contains(session.client.ip)) {
        const bool learned = co_await learn_client(session, *client);
        if (!learned) co_return;
    }
    if (!enter(session, *client)) co_return;

    std::string passed_name;
    if (session.listener->tls && gate.snapshot()->routing->serves(config::Protocol::tls)) {
        passed_name = co_await tls::peek_passed_name(session, *client);
        if (!passed_name.empty()) session.protocol = config::Protocol::tls;
    }
    const telemetry::Protocol counted_as = protocol_of(session.protocol);
    gate.counters().accepted(counted_as);
    std::unique_ptr<Tunnel> tunnel;
    if (passed_name.empty())
        tunnel = co_await dialect.serve(session, *client);
    else
        tunnel = co_await tls::serve(session, *client, std::move(passed_name));
    if (tunnel) co_await carry(session, *client, std::move(tunnel));
    gate.counters().closed(counted_as);
}

}  // namespace sallyport::gate
