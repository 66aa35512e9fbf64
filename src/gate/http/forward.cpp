// A request's way to a target and back: a connection kept from before or a new one, the exchange, and what becomes of
// both connections afterwards.
#include "gate/http/connection.hpp"
#include "gate/http/exchange.hpp"
#include "gate/http/scratch.hpp"
#include "gate/targets.hpp"
#include "gate/tunnel.hpp"
#include "io/relay.hpp"

namespace sallyport::gate::http {

namespace {

using sallyport::http::Framing;
using sallyport::http::Method;
using telemetry::Reason;

// RFC 9110 section 9.2.2, and without a body that would have to be sent again.
bool may_be_repeated(const sallyport::http::RequestFacts& facts) {
    switch (facts.method) {
        case Method::get:
        case Method::head:
        case Method::put:
        case Method::del:
        case Method::options:
        case Method::trace: return facts.framing.kind == Framing::Kind::none;
        default: return false;
    }
}

// Both sides speak WebSocket now: bytes both ways until one of them ends it. The configuration that admitted the tunnel
// is let go, and so is the inbox: of the request only its head stays, for the record.
io::Task<void> tunnel(Connection& connection, Request& request, Story& story, std::string first_from_target) {
    Session& session = connection.session;
    session.enter_tunnel(config::Protocol::http, request.decision.service->settings->names.front().value);
    story.service = session.tunnel_name;
    request.own_head = std::string(as_text(connection.inbox.front(request.head_length)));
    HttpScratch& scratch = connection.gate().http_scratch();
    parse_request(as_bytes(request.own_head), scratch.request);
    request.facts = scratch.request;
    scratch.request_of = nullptr;
    request.decision.service = nullptr;
    request.snapshot.reset();

    io::Stream& client = connection.client;
    io::Stream& target = connection.kept->stream;
    const Bytes early = connection.inbox.unread();
    story.bytes_in += early.size();
    story.bytes_out += first_from_target.size();
    const bool broken =
        target.write(early) == io::Io::failed || client.write(as_bytes(first_from_target)) == io::Io::failed;
    connection.inbox.consume(early.size());
    connection.inbox.rest();
    first_from_target = {};
    keep_alive_by_kernel(client);
    keep_alive_by_kernel(target);

    io::Relayed relayed{.end = io::RelayEnd::target_failed};
    if (!broken) relayed = co_await io::relay(client, target, {});
    story.bytes_in += relayed.to_target;
    story.bytes_out += relayed.to_client;
    story.reason = tunnel_reason(relayed.end, session);
    story.keep_alive = false;
}

// A connection to a target, kept from this client's last request or new. False: the story says why there is none.
io::Task<bool> connect(Connection& connection, const Request& request, Story& story) {
    connection.kept.reset();
    std::string name(request.facts.authority.host());
    auto dialed = co_await dial_target(connection.gate(), connection.session.cancellation, request.snapshot,
                                       request.decision, name);
    if (!dialed) {
        story.reason = dialed.error().reason;
        story.target = std::move(dialed.error().target);
        story.detail = std::move(dialed.error().detail);
        co_return false;
    }
    if (!dialed->stream.is_tls()) name.clear();
    connection.kept.emplace(Kept{std::move(dialed->stream), std::move(dialed->target), request.decision.service->name,
                                 std::move(name), request.snapshot->routing});
    co_return true;
}

}  // namespace

io::Task<void> forward(Connection& connection, Request& request, Story& story) {
    story.tls_target = request.decision.leg_tls;
    for (;;) {
        const bool reused = connection.kept && connection.kept->serves(request.decision, request.facts.authority.host(),
                                                                       request.snapshot->routing);
        if (!reused) {
            const bool connected = co_await connect(connection, request, story);
            if (!connected) co_return co_await refuse(connection, request, story);
        }
        Kept& kept = *connection.kept;
        story.target = kept.target;
        Exchange exchange(connection, request, story, kept.stream);
        const Exchange::End end = co_await exchange.run();
        switch (end) {
            case Exchange::End::answered:
                story.keep_alive = story.keep_alive && exchange.request_sent_whole();
                if (!exchange.target_reusable() || !exchange.request_sent_whole()) connection.kept.reset();
                co_return;
            case Exchange::End::switched:
                co_await tunnel(connection, request, story, exchange.take_carried());
                connection.kept.reset();
                co_return;
            case Exchange::End::refused:
                connection.kept.reset();
                // It was closed while it was kept, as servers do: no fault of this request.
                if (reused && exchange.untouched() && may_be_repeated(request.facts)) break;
                co_return co_await refuse(connection, request, story);
            case Exchange::End::cut:
                connection.kept.reset();
                connection.client.reset();
                story.keep_alive = false;
                co_return;
            case Exchange::End::client_gone:
                connection.kept.reset();
                story.keep_alive = false;
                co_return;
        }
        story.reason = Reason::ok;
        story.detail.clear();
    }
}

}  // namespace sallyport::gate::http
