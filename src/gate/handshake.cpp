#include "gate/handshake.hpp"

#include "gate/dialect.hpp"
#include "gate/gate.hpp"
#include "listeners/handshake_reason.hpp"
#include "wire/proxy/proxy_header.hpp"
#include "wire/stun/framing.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace sallyport::gate {

namespace {

using namespace std::chrono_literals;
using telemetry::Reason;

constexpr Duration handshake_within = 10s;

// Of a v1 header no more than a record's head is read (RFC 8446 section 5.1) when its bytes come one by one.
bool begins_like_proxy_header(Bytes first) {
    return sallyport::proxy::begins_like_header(first) || as_text(first) == "PROXY";
}

}  // namespace

bool asks_for_certificate(const Snapshot& routing, const io::ClientSaid& client) {
    const auto checks = [&routing](const Dialect& dialect) { return routing.checks_certificates(dialect.word); };
    const bool mux = client.port_kind == mux_kind;
    const auto word = mux ? config::Protocol::http : dialects()[static_cast<std::size_t>(client.port_kind)].word;
    if (mux && !client.offers_http && std::ranges::any_of(dialects(), checks)) return true;
    return word == config::Protocol::http ? routing.asks_for_certificate(client.server_name)
                                          : routing.checks_certificates(word);
}

std::span<const std::string_view> agreed_protocols(bool mux_takes_turn, int port_kind) {
    // TURN first: clients of it offer HTTP as well (coturn's), while no browser offers TURN.
    static constexpr std::array<std::string_view, 3> all{stun::alpn_protocols[0], stun::alpn_protocols[1], "http/1.1"};
    return std::span(all).last(port_kind == mux_kind && mux_takes_turn ? all.size() : 1);
}

io::Task<ClientHandshake> shake_hands_with_client(Session& session, io::Stream& client) {
    const auto server = session.gate.snapshot()->tls_server;
    if (!server) co_return ClientHandshake{.silent = true};  // a reload is taking the listener away
    client.attach(server->accept(session.listener->kind));
    io::Handshake shaken = co_await io::handshake(client, client.loop().in(handshake_within));
    const bool is_ended = shaken.failure == io::TlsFailure::cancelled;
    ClientHandshake result{.reason = is_ended ? session.ended_by : listeners::reason_of(shaken.failure),
                           .detail = std::move(shaken.detail)};
    if (shaken.failure == io::TlsFailure::none) co_return result;
    if (begins_like_proxy_header(client.tls()->first_bytes())) {
        result.reason = Reason::proxy_untrusted;
        result.detail = sallyport::proxy::unexpected;
    }
    result.gone = shaken.failure == io::TlsFailure::closed;
    result.silent = result.gone && !client.tls()->heard();  // a probe of the port
    result.plain_http = shaken.failure == io::TlsFailure::plain_http;
    co_return result;
}

}  // namespace sallyport::gate
