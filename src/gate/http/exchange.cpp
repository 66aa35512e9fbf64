#include "gate/http/exchange.hpp"

#include "gate/http/rewrite.hpp"
#include "gate/http/scratch.hpp"
#include "gate/http/suspicion.hpp"
#include "io/tls.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

namespace sallyport::gate::http {

namespace {

using sallyport::http::Framing;
using telemetry::Reason;

constexpr std::size_t fair_share = std::size_t{1024} * 1024;        // bytes a turn, each direction
constexpr std::size_t cautious_read = std::size_t{64} * 1024;       // from a side whose other end is slow
constexpr std::size_t most_answer_head = std::size_t{32} * 1024;    // bytes of a target's head
constexpr unsigned most_interim_answers = 64;  // to one request; each grows by what this gateway adds
constexpr std::size_t body_room_at = std::size_t{64} * 1024;  // in the scratch, behind a request's head

Framing framing_for_client(Framing from_target, unsigned client_minor) {
    const bool unknown_length =
        from_target.kind == Framing::Kind::chunked || from_target.kind == Framing::Kind::until_close;
    if (!unknown_length) return from_target;
    return client_minor >= 1 ? Framing::chunked() : Framing::until_close();
}

enum class Meanwhile : std::uint8_t { quiet, spoke, reset };

// What a client does while its whole request waits for the answer. A FIN is no reset: who has asked may close that
// direction. After the next request or a FIN a reset shows no more; then the answer's way to the client meets it.
Meanwhile look_at(io::Stream& client) {
    if (!client.watched().readable) return Meanwhile::quiet;
    std::byte next{};
    if (::recv(client.fd(), &next, sizeof next, MSG_PEEK | MSG_DONTWAIT) >= 0) return Meanwhile::spoke;
    if (errno != EAGAIN) return Meanwhile::reset;
    if (client.is_tls()) return Meanwhile::spoke;  // there may be something behind the socket
    client.watched().readable = false;  // a read that got just what it wanted left it set
    return Meanwhile::quiet;
}

}  // namespace

Exchange::Exchange(Connection& connection, Request& request, Story& story, io::Stream& target)
    : connection_(connection),
      request_(request),
      story_(story),
      target_(target),
      up_(request.facts.framing, request.facts.framing),
      down_(Framing::none(), Framing::none()) {}

Exchange::Pumped Exchange::fail(Reason reason, std::string detail) {
    story_.reason = reason;
    story_.detail = std::move(detail);
    return Pumped::failed;
}

// An await may have lent the scratch to another request; the bytes are still ours.
const sallyport::http::RequestHead& Exchange::own_head() {
    HttpScratch& scratch = connection_.gate().http_scratch();
    if (scratch.request_of != &request_) {
        parse_request(connection_.inbox.front(request_.head_length), scratch.request);
        scratch.request_of = &request_;
    }
    return scratch.request;
}

// Tells the guard what the answer at hand gives the client away as.
void Exchange::look_at_answer() {
    const auto& answer = connection_.gate().http_scratch().response;
    if (answer.status != 401 && answer.status != 403) return;
    if (const auto found = suspect(answer.status, own_head().fields, answer.fields))
        connection_.gate().suspect(connection_.session, found->sign, found->credential);
}

bool Exchange::send_head() {
    HttpScratch& scratch = connection_.gate().http_scratch();
    const auto& head = own_head();
    const auto client = connection_.session.client.ip.to_string();
    std::vector<ExtraField> identity;
    if (request_.decision.service->settings->client_certificate != config::ClientCertificate::none)
        identity = connection_.shown().fields(connection_.loop().wall());
    ByteWriter out(scratch.out().first(body_room_at));
    write_request_head(
        out, head,
        {.client = client,
         .node = connection_.gate().node(),
         // HTTP/1.0 may name nobody; the default service has a name of its own.
         .host =
             request_.facts.authority.empty() ? std::string_view(request_.decision.service->name) : std::string_view{},
         .tls = connection_.client.is_tls(),
         .peer_is_trusted = request_.snapshot->routing->trusted_proxies().contains(connection_.session.client.ip),
         .keep_expect = request_.facts.expect_continue,
         .extra = identity});
    // Body that came with the head leaves with it.
    const auto step = up_.feed(connection_.inbox.unread(), scratch.out().subspan(body_room_at));
    connection_.inbox.consume(step.consumed);
    story_.bytes_in += step.consumed;
    if (!step.error.empty()) {
        fail(Reason::body_malformed, std::string(step.error));
        return false;
    }
    out.bytes(step.out);
    if (!out.ok()) {
        fail(Reason::peek_too_large, "the head does not fit with what this gateway adds");
        return false;
    }
    if (target_.write(out.written()) == io::Io::failed) up_broken_ = true;
    return true;
}

Exchange::Pumped Exchange::feed_up() {
    HttpScratch& scratch = connection_.gate().http_scratch();
    const auto step = up_.feed(connection_.inbox.unread(), scratch.out());
    connection_.inbox.consume(step.consumed);
    story_.bytes_in += step.consumed;
    if (!step.error.empty()) return fail(Reason::body_malformed, std::string(step.error));
    if (!step.out.empty() && target_.write(step.out) == io::Io::failed) up_broken_ = true;
    return step.consumed > 0 ? Pumped::share_used : Pumped::waiting;
}

Exchange::Pumped Exchange::pump_up() {
    Inbox& inbox = connection_.inbox;
    io::Stream& client = connection_.client;
    for (std::size_t share = fair_share; share > 0;) {
        if (!up_broken_ && target_.blocked()) {
            const io::Io flushed = target_.flush();
            if (flushed == io::Io::again) return Pumped::waiting;
            if (flushed == io::Io::failed) up_broken_ = true;
        }
        if (up_broken_ || up_.ended()) return Pumped::ended;
        if (!inbox.empty()) {
            const Pumped fed = feed_up();
            if (fed == Pumped::failed) return fed;
            if (fed == Pumped::share_used) continue;
        }
        if (!client.watched().readable) return Pumped::waiting;
        io::Got got;
        if (up_.wants_chunks()) {
            // What stands behind the body belongs to the next request, so the inbox reads it.
            inbox.make_room(request_.head_length);
            got = inbox.fill(client);
        } else {
            const MutableBytes room = connection_.loop().buffer();
            const std::size_t most = target_.blocked() ? cautious_read : room.size();
            got = client.read(room.first(static_cast<std::size_t>(std::min<std::uint64_t>(most, up_.most_wanted()))));
            if (got.io == io::Io::ok) {
                story_.bytes_in += got.bytes;
                const auto step = up_.feed(Bytes(room).first(got.bytes), {});
                if (target_.write(step.out) == io::Io::failed) up_broken_ = true;
            }
        }
        if (got.io == io::Io::again) return Pumped::waiting;
        if (got.io != io::Io::ok) {
            client_failed_ = true;
            return fail(got.io == io::Io::eof ? Reason::client_closed : Reason::client_reset,
                        "in the middle of the request's body");
        }
        share -= std::min(share, got.bytes);
    }
    return Pumped::share_used;
}

bool Exchange::send_to_client(Bytes bytes) {
    if (bytes.empty()) return true;
    story_.bytes_out += bytes.size();
    if (connection_.client.write(bytes) != io::Io::failed) return true;
    client_failed_ = true;
    fail(Reason::client_closed, "in the middle of the answer");
    return false;
}

Exchange::Pumped Exchange::pump_down() {
    io::Stream& client = connection_.client;
    for (std::size_t share = fair_share; share > 0;) {
        bool slow = false;
        if (client.blocked()) {
            slow = true;
            const io::Io flushed = client.flush();
            if (flushed == io::Io::again) return Pumped::waiting;
            if (flushed == io::Io::failed) {
                client_failed_ = true;
                return fail(Reason::client_closed, "in the middle of the answer");
            }
        }
        if (switched_ || (answer_begun_ && down_.ended())) return Pumped::ended;
        if (!target_.watched().readable) return Pumped::waiting;
        const MutableBytes room = connection_.loop().buffer();
        const io::Got got = target_.read(room.first(slow || !carry_.empty() ? cautious_read : room.size()));
        if (got.io == io::Io::again) return Pumped::waiting;
        if (got.io == io::Io::failed) {
            return fail(Reason::target_closed, target_.error() == 0 ? "TLS broke" : std::strerror(target_.error()));
        }
        if (got.io == io::Io::ok) target_spoke_ = true;
        Bytes input = Bytes(room).first(got.bytes);
        if (!carry_.empty()) {
            carry_.append(as_text(input));
            input = as_bytes(carry_);
        }
        const Pumped taken = take_answer(input, got.io == io::Io::eof);
        if (taken == Pumped::failed) return taken;
        share -= std::min(share, std::max<std::size_t>(got.bytes, 1));
    }
    return Pumped::share_used;
}

// Takes the input as far as it is understood; what is left waits in carry_ for more.
Exchange::Pumped Exchange::take_answer(Bytes input, bool at_end) {
    ByteWriter out(connection_.gate().http_scratch().out());
    while (!answer_begun_ && !switched_) {
        const std::size_t before = input.size();
        if (take_head(input, out) == Pumped::failed) return Pumped::failed;
        if (input.size() == before) break;
    }
    if (switched_) {
        carry_.assign(as_text(input));  // the target may speak first; the tunnel begins with it
        return send_to_client(out.written()) ? Pumped::ended : Pumped::failed;
    }
    if (!answer_begun_) {
        if (at_end)
            return fail(Reason::target_closed,
                        input.empty() ? "without an answer" : "in the middle of its answer's head");
        if (input.size() > most_answer_head)
            return fail(Reason::target_malformed, "the answer's head is larger than 32 KiB");
        if (!send_to_client(out.written())) return Pumped::failed;  // interim ones
        carry_ = std::string(as_text(input));
        return Pumped::waiting;
    }
    return take_body(input, out, at_end);
}

Exchange::Pumped Exchange::take_head(Bytes& input, ByteWriter& out) {
    auto& head = connection_.gate().http_scratch().response;
    const auto result = parse_response(input, request_.facts.method, head);
    if (result.need_more()) return Pumped::waiting;
    if (result.refused()) return fail(Reason::target_malformed, std::string(text(result.error)));
    if (!begin_answer(result.length, out)) return Pumped::failed;
    input = input.subspan(result.length);
    return Pumped::waiting;
}

bool Exchange::begin_answer(std::size_t head_length, ByteWriter& out) {
    const auto& head = connection_.gate().http_scratch().response;
    const auto& asked = request_.facts;
    if (head_length > most_answer_head) {
        fail(Reason::target_malformed, "the answer's head is larger than 32 KiB");
        return false;
    }
    if (head.status == 101 && !(asked.wants_websocket && head.switches_to_websocket)) {
        fail(Reason::target_malformed, "101 to a request that did not ask for WebSocket");
        return false;
    }
    Reply reply{.framing = framing_for_client(head.framing, asked.minor_version),
                .node = connection_.gate().node(),
                .client_minor = asked.minor_version};
    if (head.interim()) {
        if (asked.minor_version >= 1) write_response_head(out, head, reply);
        if (++interim_answers_ <= most_interim_answers && out.ok()) return true;
        fail(Reason::target_malformed, "interim answers without end");
        return false;
    }
    // An answer before the whole request has come: where the next one would begin is then unknown.
    reply.keep_alive = asked.keep_alive && up_.ended() && reply.framing.kind != Framing::Kind::until_close &&
                       !connection_.gate().draining();
    write_response_head(out, head, reply);
    if (!out.ok()) {
        fail(Reason::target_malformed, "the answer's head does not fit with what this gateway adds");
        return false;
    }
    look_at_answer();
    story_.status = head.status;
    story_.keep_alive = reply.keep_alive;
    knows_its_client_ = asked.binds_connection || head.binds_connection;
    answer_keeps_target_ = head.keep_alive;
    switched_ = head.status == 101;
    answer_begun_ = !switched_;
    if (answer_begun_) down_ = Recoder(head.framing, reply.framing);
    return true;
}

Exchange::Pumped Exchange::take_body(Bytes& input, ByteWriter& out, bool at_end) {
    const MutableBytes room = connection_.gate().http_scratch().out();
    const std::size_t head = out.size();
    auto step = down_.feed(input, room.subspan(head));
    if (at_end && !step.ended && step.error.empty()) {
        const bool forged = target_.is_tls() && !target_.tls()->said_goodbye();
        if (forged) return fail(Reason::target_closed, "without close_notify");
        step = down_.finish(room.subspan(head));
    }
    if (head == 0) {
        if (!send_to_client(step.out)) return Pumped::failed;
    } else {
        // Framed anew, the body already stands behind the head; passed through, it is copied there: one send for both.
        if (!step.out.empty() && step.out.data() != room.data() + head) {
            std::memmove(room.data() + head, step.out.data(), step.out.size());
        }
        if (!send_to_client(Bytes(room).first(head + step.out.size()))) return Pumped::failed;
    }
    if (!step.error.empty())
        return fail(at_end ? Reason::target_closed : Reason::target_malformed, std::string(step.error));
    const Bytes left = input.subspan(step.consumed);
    if (step.ended) {
        // Bytes that nobody asked for: they must not become the answer to the next request.
        target_reusable_ = answer_keeps_target_ && left.empty() && !at_end;
        carry_.clear();
        return Pumped::ended;
    }
    if (!left.empty() || !carry_.empty()) carry_ = std::string(as_text(left));
    return Pumped::waiting;
}

Exchange::End Exchange::end_of_failure() const {
    if (client_failed_) return End::client_gone;
    return answer_begun_ ? End::cut : End::refused;
}

Exchange::End Exchange::timed_out() {
    if (connection_.client.blocked()) {
        fail(Reason::client_stalled, "it takes no more of the answer");
        client_failed_ = true;
    } else if (!up_.ended() && !up_broken_ && !target_.blocked()) {
        fail(Reason::client_stalled, "in the middle of the request's body");
    } else {
        fail(Reason::target_stalled, answer_begun_ ? "in the middle of its answer" : "no answer");
    }
    return end_of_failure();
}

Exchange::End Exchange::cancelled() {
    fail(connection_.session.ended_by);
    return End::cut;
}

io::Task<Exchange::End> Exchange::run() {
    if (!send_head()) co_return end_of_failure();
    const Duration patience = request_.decision.service->settings->idle_timeout;
    io::Loop& loop = connection_.loop();
    io::Stream& client = connection_.client;
    for (;;) {
        const Pumped up = pump_up();
        const Pumped down = up == Pumped::failed ? Pumped::failed : pump_down();
        if (down == Pumped::failed) co_return end_of_failure();
        if (down == Pumped::ended) co_return switched_ ? End::switched : End::answered;
        if (up == Pumped::share_used || down == Pumped::share_used) {
            co_await io::Yield{loop};
            if (connection_.session.cancellation.requested()) co_return cancelled();
            continue;
        }
        const Meanwhile meanwhile = up == Pumped::ended ? look_at(client) : Meanwhile::quiet;
        if (meanwhile == Meanwhile::reset) {
            client_failed_ = true;
            fail(Reason::client_reset, "before the answer was whole");
            co_return end_of_failure();
        }
        using Edge = io::WaitAny<2>::Edge;
        const Edge below = client.blocked() ? Edge{&client.watched(), io::Interest::write}
                                            : Edge{&target_.watched(), io::Interest::read};
        const Edge above = meanwhile == Meanwhile::spoke              ? below
                           : up != Pumped::ended && target_.blocked() ? Edge{&target_.watched(), io::Interest::write}
                                                                      : Edge{&client.watched(), io::Interest::read};
        const io::Deadline deadline = patience > Duration{0} ? loop.in(patience) : io::Deadline::none;
        const io::Wait waited = co_await io::WaitAny<2>(deadline, {{above, below}});
        if (waited == io::Wait::timeout) co_return timed_out();
        if (waited == io::Wait::cancelled) co_return cancelled();
    }
}

}  // namespace sallyport::gate::http
