// The story of every connection, top to bottom: who is it, is there room for it, does it pass unopened; then its
// dialect serves it, and where it is routed for good, bytes pass until one side ends it.
#include "gate/serve.hpp"

#include "gate/dialect.hpp"
#include "gate/gate.hpp"
#include "gate/mux.hpp"
#include "gate/proxy_header.hpp"
#include "gate/refusal.hpp"
#include "gate/tls/pass_by_sni.hpp"
#include "gate/tunnel.hpp"

namespace sallyport::gate {

namespace {

using telemetry::Reason;

void refuse(Session& session, io::Stream& client, Reason reason, std::string_view detail) {
    report_refusal(session, {.reason = reason, .detail = detail, .tls_client = session.tls}, session.since);
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
    if (gate.guard().banned(session.client.ip)) {  // whom a PROXY header names was not known at accept
        refuse(session, client, Reason::ban_active, "");
        return false;
    }
    const std::uint32_t most = gate.most_of_client();
    session.counted = gate.shared().clients.enter(session.client.ip, most);
    if (!session.counted) refuse(session, client, Reason::limit_client, "at most " + std::to_string(most));
    return session.counted;
}

// Who serves it: a dialect, the room of TURN, or nobody here, where it passes unopened under a name. None: it has
// ended.
struct Speaks {
    const Dialect* dialect = nullptr;
    bool turn = false;
    std::string passed_name = {};
};

// On the port of a protocol that has a service of that name too, the client came for that one. But browsers': theirs
// may be there to redirect them to this.
bool is_of_the_port(const Session& session, std::string_view name) {
    if (session.undecided || session.protocol == config::Protocol::http) return false;
    return session.gate.snapshot()->routing->find(session.protocol, name) != nullptr;
}

// Told by the port, on one of many protocols by the first bytes, and by the name where TLS begins.
io::Task<Speaks> find_out(Session& session, io::Stream& client) {
    const int kind = session.listener->kind;
    session.undecided = kind == mux_kind;
    if (session.undecided) {
        const bool looked = co_await mux::look_for_tls(session, client);
        if (!looked) co_return Speaks{};
    } else {
        session.protocol = dialects()[static_cast<std::size_t>(kind)].word;
    }
    if (session.tls && session.gate.snapshot()->routing->serves(config::Protocol::tls)) {
        std::string passed_name = co_await tls::peek_passed_name(session, client);
        if (!passed_name.empty() && !is_of_the_port(session, passed_name)) {
            session.undecided = false;
            session.protocol = config::Protocol::tls;
            co_return Speaks{.passed_name = std::move(passed_name)};
        }
    }
    if (!session.undecided) co_return Speaks{.dialect = &dialects()[static_cast<std::size_t>(kind)]};
    const mux::Told told = co_await mux::find_protocol(session, client);
    session.undecided = !told.is_known();
    session.turn = told.is_turn;
    if (told.dialect != nullptr) session.protocol = told.dialect->word;
    co_return Speaks{.dialect = told.dialect, .turn = told.is_turn};
}

}  // namespace

io::Task<void> serve(Gate& gate, listeners::ListenerHandle listener, io::Accepted accepted) {
    Session session(gate, std::move(listener), accepted.peer);
    auto client = io::Stream::adopt(gate.loop(), std::move(accepted.fd), session.cancellation);
    if (!client) co_return;  // epoll has no room: the descriptor is closed, the client sees a reset
    if (gate.snapshot()->routing->proxy_from().contains(session.client.ip)) {
        const bool learned = co_await learn_client(session, *client);
        if (!learned) co_return;
    }
    if (!enter(session, *client)) co_return;

    Speaks speaks = co_await find_out(session, *client);
    if (speaks.turn) co_return co_await gate.serve_turn(session, *client);  // which counts and tells for itself
    const telemetry::Protocol counted_as = session.counted_as();
    gate.counters().accepted(counted_as);
    std::unique_ptr<Tunnel> tunnel;
    if (!speaks.passed_name.empty())
        tunnel = co_await tls::serve(session, *client, std::move(speaks.passed_name));
    else if (speaks.dialect != nullptr)
        tunnel = co_await speaks.dialect->serve(session, *client);
    if (tunnel) co_await carry(session, *client, std::move(tunnel));
    gate.counters().closed(counted_as);
}

}  // namespace sallyport::gate
