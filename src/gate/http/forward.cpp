// A request's way to a target and back: a connection kept from before or a new one, the exchange, and what becomes of
// both connections afterwards.
#include "gate/http/connection.hpp"
#include "gate/http/exchange.hpp"
#include "gate/targets/connect.hpp"

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

// Both sides speak WebSocket now: what follows is a tunnel's, which owns what its record will say.
void become_tunnel(Connection& connection, const Request& request, Story& story, TargetConnection target,
                   std::string_view first_from_target) {
    const auto& facts = request.facts;
    const Bytes early = connection.inbox.unread();
    story.bytes_in += early.size();
    story.bytes_out += first_from_target.size();
    // A side that is broken already is found so by the relay.
    target.stream.write(early);
    connection.client.write(as_bytes(first_from_target));
    connection.inbox.consume(early.size());
    connection.tunnel =
        std::make_unique<Tunnel>(Tunnel{.target = std::move(target),
                                        .protocol = config::Protocol::http,
                                        .tls_client = connection.client.is_tls(),
                                        .service = request.decision.service->name,
                                        .looked_for = std::string(facts.authority.host()),
                                        .method = std::string(facts.method_text),
                                        .url = std::string(facts.target),
                                        .status = story.status,
                                        .since = story.since,
                                        .began = story.began,
                                        .relayed = {.to_target = story.bytes_in, .to_client = story.bytes_out}});
    story.keep_alive = false;
}

Reuse reuse_for(const sallyport::http::RequestFacts& facts) {
    return may_be_repeated(facts) ? Reuse::any : Reuse::fresh;
}

// The connection has carried its request, and its answer came whole.
void give_back(Connection& connection, const Request& request, TargetConnection target, bool knows_its_client) {
    target.lease.target()->answered();
    const config::Service& service = *request.decision.service->settings;
    const bool shared = !knows_its_client && may_be_kept(service);
    const bool present = request.snapshot == connection.gate().snapshot();
    if (shared && present)
        connection.gate().kept().put(std::move(target));
    else if (knows_its_client || (!shared && service.max_connections == 0))  // one that idles would hold a place
        connection.kept.emplace(
            Private{std::move(target), request.decision.service, request.snapshot->routing, knows_its_client});
}

// A target that takes requests and drops them is out of order too, even if it can be connected to.
void blame(const TargetConnection& target, const Story& story, WallTime now) {
    if (story.reason == Reason::target_closed || story.reason == Reason::target_malformed)
        target.lease.target()->broke_its_answer(story.reason, now);
}

class Delivery {
public:
    Delivery(Connection& connection, Request& request, Story& story)
        : connection_(connection),
          request_(request),
          story_(story),
          search_(connection.session, connection.client, request.snapshot, request.decision,
                  request.facts.authority.host()) {}

    io::Task<void> run() {
        for (;;) {
            auto target = co_await connect();
            if (target) story_.target = target->text;
            // Also of one that failed: the text of the one before, which the session showed, is gone.
            connection_.session.busy_with(story_.service, story_.target);
            if (!target) co_return co_await refuse(connection_, request_, story_);
            Exchange exchange(connection_, request_, story_, target->stream);
            const Exchange::End end = co_await exchange.run();
            if (end == Exchange::End::refused && another_try(exchange, *target)) {
                story_.reason = Reason::ok;
                story_.detail.clear();
                continue;
            }
            co_return co_await finish(exchange, end, std::move(*target));
        }
    }

private:
    // Kept from this client's last request, or found. Nothing: the story says why there is none.
    io::Task<std::optional<TargetConnection>> connect() {
        const bool own = connection_.kept && connection_.kept->serves(request_.decision, request_.snapshot->routing);
        own_ = own;
        known_ = own && connection_.kept->knows_its_client;
        std::optional<TargetConnection> target;
        if (own) target.emplace(std::move(connection_.kept->connection));
        connection_.kept.reset();
        if (own) co_return target;
        auto found = co_await search_.next(reuse_for(request_.facts));
        if (found) co_return std::move(*found);
        story_.reason = found.error().reason;
        story_.target = std::move(found.error().target);
        story_.detail = std::move(found.error().detail);
        co_return std::nullopt;
    }

    // A connection that was kept may have been closed meanwhile, as servers do: no fault of the request nor of the
    // target. A new one that breaks without a word is the target's fault, and another target may do better.
    bool another_try(const Exchange& exchange, const TargetConnection& target) {
        const bool kept = own_ || search_.reused();
        if (!exchange.untouched() || !may_be_repeated(request_.facts)) return false;
        if (kept) return true;
        if (story_.reason != Reason::target_closed || !search_.more()) return false;
        blame(target, story_, connection_.loop().wall());
        return true;
    }

    io::Task<void> finish(const Exchange& exchange, Exchange::End end, TargetConnection target) {
        connection_.session.at_rest();
        switch (end) {
            case Exchange::End::answered:
                story_.keep_alive = story_.keep_alive && exchange.request_sent_whole();
                if (exchange.target_reusable() && exchange.request_sent_whole())
                    give_back(connection_, request_, std::move(target), known_ || exchange.knows_its_client());
                break;
            case Exchange::End::switched:
                become_tunnel(connection_, request_, story_, std::move(target), exchange.carried());
                break;
            case Exchange::End::refused:
                blame(target, story_, connection_.loop().wall());
                co_return co_await refuse(connection_, request_, story_);
            case Exchange::End::cut:
                blame(target, story_, connection_.loop().wall());
                connection_.client.reset();
                story_.keep_alive = false;
                break;
            case Exchange::End::client_gone: story_.keep_alive = false; break;
        }
    }

    Connection& connection_;
    Request& request_;
    Story& story_;
    TargetSearch search_;
    bool own_ = false;  // the connection in use was kept for this client
    bool known_ = false;  // and the target knows the client by it, from an earlier request: for as long as it lives
};

}  // namespace

io::Task<void> forward(Connection& connection, Request& request, Story& story) {
    story.tls_target = request.decision.leg_tls;
    Delivery delivery(connection, request, story);
    co_await delivery.run();
}

}  // namespace sallyport::gate::http
