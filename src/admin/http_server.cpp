#include "admin/http_server.hpp"

#include "admin/inbox.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <expected>
#include <optional>
#include <utility>

namespace sallyport::admin {

namespace {

using telemetry::Reason;

constexpr Duration linger_for = std::chrono::seconds{2};         // until the peer has read a last answer
constexpr Duration handshake_within = std::chrono::seconds{10};
constexpr Duration accept_again_in = std::chrono::milliseconds{100};

// ---------------------------------------------------------------- receiving

/// One request off the wire.
struct Incoming {
    Request request;
    std::string raw_query;
    http::Framing framing;
    bool keep_alive = false;
    bool expects_continue = false;
};

/// Why a request can't be answered by a route; nothing: the peer is gone.
using Refusal = std::optional<Problem>;

Problem problem_of(http::HeadError error) {
    const bool too_large = error == http::HeadError::too_many_fields;
    return {.status = http::status_for(error),
            .detail = "the request can't be read: " + std::string(http::text(error)),
            .reason = too_large ? Reason::peek_too_large : Reason::peek_malformed};
}

Refusal head_refusal(Trouble trouble) {
    switch (trouble) {
        case Trouble::timeout:
            return Problem{.status = 408, .detail = "the request's head took too long", .reason = Reason::peek_timeout};
        case Trouble::too_large:
            return Problem{
                .status = 431, .detail = "the request's head exceeds 16 KiB", .reason = Reason::peek_too_large};
        default: return std::nullopt;
    }
}

Refusal body_refusal(Trouble trouble) {
    switch (trouble) {
        case Trouble::timeout:
            return Problem{
                .status = 408, .detail = "the request's body took too long", .reason = Reason::client_stalled};
        case Trouble::too_large: return Problem{.status = 413, .detail = "the request's body exceeds 1 MiB"};
        case Trouble::malformed:
            return Problem{
                .status = 400, .detail = "the request's chunks can't be read", .reason = Reason::body_malformed};
        case Trouble::closed: break;
    }
    return std::nullopt;
}

Incoming owned(const http::RequestHead& head) {
    return {
        .request = {.method = std::string(head.method_text), .path = std::string(head.path), .query = {}, .body = {}},
        .raw_query = std::string(head.query),
        .framing = head.framing,
        .keep_alive = head.keep_alive,
        .expects_continue = head.expect_continue};
}

/// The head at the front of what has come; nothing: it is not complete.
std::expected<std::optional<Incoming>, Problem> take_head(Inbox& inbox) {
    const Bytes bytes = inbox.bytes();
    http::RequestHead head;
    const http::HeadResult result = http::parse_request(bytes.first(std::min(bytes.size(), max_head)), head);
    if (result.refused()) return std::unexpected(problem_of(result.error));
    if (result.need_more()) return std::nullopt;
    Incoming incoming = owned(head);
    inbox.drop(result.length);
    return incoming;
}

io::Task<std::expected<Incoming, Refusal>> receive_head(Inbox& inbox, io::Deadline deadline) {
    for (;;) {
        auto head = take_head(inbox);
        if (!head) co_return std::unexpected(Refusal(std::move(head.error())));
        if (*head) co_return std::move(**head);
        if (const auto trouble = co_await inbox.more_of_head(deadline))
            co_return std::unexpected(head_refusal(*trouble));
    }
}

io::Task<std::expected<Incoming, Refusal>> receive(io::Stream& stream, Inbox& inbox) {
    io::Loop& loop = stream.loop();
    if (inbox.empty()) {
        // A connection on which nothing is asked ends without a word (RFC 9110 section 15.5.9).
        if (co_await inbox.more(loop.in(first_byte_within))) co_return std::unexpected(std::nullopt);
    }
    const io::Deadline deadline = loop.in(request_within);
    auto incoming = co_await receive_head(inbox, deadline);
    if (!incoming) co_return std::move(incoming);
    if (incoming->expects_continue && incoming->framing.length <= max_body && inbox.empty()) {
        const io::Wait sent = co_await stream.write_all("HTTP/1.1 100 Continue\r\n\r\n", deadline);
        if (sent != io::Wait::ready) co_return std::unexpected(std::nullopt);
    }
    auto body = co_await inbox.body(incoming->framing, max_body, deadline);
    if (!body) co_return std::unexpected(body_refusal(body.error()));
    incoming->request.body = std::move(*body);
    co_return std::move(incoming);
}

// ---------------------------------------------------------------- deciding

bool is_trusted(const Site& site, const Peer& peer) {
    const auto* local = std::get_if<UnixPeer>(&peer);
    return local != nullptr && (local->uid == 0 || std::ranges::count(site.trusted_uids, local->uid) != 0);
}

bool is_admitted(const Site& site, const Route& route, const Peer& peer) {
    if (route.access == Access::anyone || is_trusted(site, peer)) return true;
    const auto* remote = std::get_if<TcpPeer>(&peer);
    if (remote == nullptr || route.access != Access::metrics) return false;
    return remote->address.ip.is_loopback() || site.metrics_from.contains(remote->address.ip);
}

bool answers(const Route& route, std::string_view method) {
    return route.method == method || (route.method == "GET" && method == "HEAD");
}

Response not_allowed(const std::string& method, const std::string& allowed) {
    Response response =
        problem_response({.status = 405, .detail = method + " is not for this path, but " + allowed + " is"});
    response.fields.emplace_back("Allow", allowed);
    return response;
}

/// The route for this request, or the answer of a request that has none.
std::expected<const Route*, Response> find_route(const Site& site, const Peer& peer, const Request& request) {
    std::string allowed;
    bool forbidden = false;
    for (const Route& route : site.routes) {
        if (route.path != request.path) continue;
        if (!is_admitted(site, route, peer)) {
            forbidden = true;
            continue;
        }
        if (answers(route, request.method)) return &route;
        if (!allowed.empty()) allowed += ", ";
        allowed += route.method == "GET" ? "GET, HEAD" : std::string(route.method);
    }
    if (!allowed.empty()) return std::unexpected(not_allowed(request.method, allowed));
    // On the Unix socket the refused one is told; on TCP a path that is not served is no path at all.
    if (forbidden && std::holds_alternative<UnixPeer>(peer)) {
        return std::unexpected(
            problem_response({.status = 403, .detail = "the user that asks is neither root nor the gateway's own"}));
    }
    return std::unexpected(problem_response({.status = 404, .detail = "there is nothing at this path"}));
}

io::Task<Response> answer(const Site& site, const Peer& peer, Incoming incoming) {
    const auto route = find_route(site, peer, incoming.request);
    if (!route) co_return route.error();
    auto query = parse_query(incoming.raw_query);
    if (!query) co_return problem_response({.status = 400, .detail = query.error().message});
    incoming.request.query = std::move(*query);
    co_return co_await (*route)->handler(site.control, incoming.request);
}

// ---------------------------------------------------------------- connections

io::Task<void> say_goodbye(io::Stream& stream, const Problem& problem) {
    io::Loop& loop = stream.loop();
    const std::string last = write_response(problem_response(problem), false, false);
    const io::Wait sent = co_await stream.write_all(last, loop.in(answer_within));
    if (sent == io::Wait::ready) co_await io::close_lingering(stream, loop.in(linger_for));
}

/// One request and its answer. False: the connection is done.
io::Task<bool> exchange(io::Stream& stream, Inbox& inbox, const Site& site, const Peer& peer) {
    auto incoming = co_await receive(stream, inbox);
    if (!incoming) {
        if (incoming.error()) co_await say_goodbye(stream, *incoming.error());
        co_return false;
    }
    const bool keep_alive = incoming->keep_alive;
    const bool head_only = incoming->request.method == "HEAD";
    const Response response = co_await answer(site, peer, std::move(*incoming));
    io::Loop& loop = stream.loop();
    const io::Wait sent =
        co_await stream.write_all(write_response(response, keep_alive, head_only), loop.in(answer_within));
    if (sent == io::Wait::ready && !keep_alive) co_await io::close_lingering(stream, loop.in(linger_for));
    co_return sent == io::Wait::ready&& keep_alive;
}

Peer peer_of(const io::Accepted& accepted, bool tls) {
    int domain = 0;
    socklen_t size = sizeof domain;
    getsockopt(accepted.fd.get(), SOL_SOCKET, SO_DOMAIN, &domain, &size);
    if (domain != AF_UNIX) return TcpPeer{accepted.peer, tls};
    ucred credentials{};
    size = sizeof credentials;
    if (getsockopt(accepted.fd.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
        credentials.uid = static_cast<uid_t>(-1);  // nobody's
    }
    return UnixPeer{credentials.uid, credentials.pid};
}

io::Task<void> welcome(io::Stream stream, const Site& site, Peer peer, std::shared_ptr<const io::TlsServer> tls) {
    if (tls) {
        stream.attach(tls->accept());
        const io::Handshake done = co_await io::handshake(stream, stream.loop().in(handshake_within));
        if (done.failure != io::TlsFailure::none) co_return;
    }
    co_await serve(std::move(stream), site, peer);
}

io::Task<void> turn_away(io::Stream stream) {
    co_await say_goodbye(stream, {.status = 503,
                                  .detail = "the control plane has as many connections as it takes",
                                  .reason = Reason::limit_connections});
}

}  // namespace

io::Task<void> serve(io::Stream stream, const Site& site, Peer peer) {
    io::Loop& loop = stream.loop();
    Inbox inbox(stream);
    while (co_await exchange(stream, inbox, site, peer)) {
        co_await io::Yield{loop};  // many requests that came at once share the loop with others
    }
}

io::Task<void> accept_and_serve(io::Loop& loop, io::Cancellation& cancellation, io::Acceptor acceptor, const Site& site,
                                TlsSource tls) {
    io::Scope connections(loop);
    while (!cancellation.requested()) {
        auto accepted = acceptor.accept();
        if (!accepted && accepted.error() == EAGAIN) {
            co_await acceptor.readable(io::Deadline::none);
            continue;
        }
        if (!accepted) {  // no descriptor or memory left: the edge is not repeated
            co_await io::Sleep(loop, cancellation, loop.in(accept_again_in));
            continue;
        }
        const Peer peer = peer_of(*accepted, tls != nullptr);
        auto stream = io::Stream::adopt(loop, std::move(accepted->fd), connections.cancellation());
        if (!stream) continue;
        const auto context = tls ? tls() : nullptr;
        // No certificate, no answer: never plain where TLS is meant. Beyond twice the limit not even a refusal: the
        // connection closes here, and on TLS at once, where a refusal would cost a handshake.
        if (tls && !context) continue;
        if (connections.running() < max_connections) {
            connections.spawn(welcome(std::move(*stream), site, peer, context));
        } else if (!tls && connections.running() < 2 * max_connections) {
            connections.spawn(turn_away(std::move(*stream)));
        }
        co_await io::Yield{loop};
    }
    connections.cancel();
    co_await connections.join();
}

}  // namespace sallyport::admin
