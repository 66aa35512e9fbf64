// The story of one HTTP connection, top to bottom: handshake, then for each request its head, the decision, the target
// or the refusal, and one record.
#include "gate/handshake.hpp"
#include "gate/http/acme.hpp"
#include "gate/http/answer.hpp"
#include "gate/http/connection.hpp"
#include "gate/http/explain_http.hpp"
#include "gate/http/http_dialect.hpp"
#include "gate/http/scratch.hpp"
#include "gate/http/welcome.hpp"
#include "wire/http/status.hpp"

#include <chrono>

namespace sallyport::gate::http {

namespace {

using namespace std::chrono_literals;
using telemetry::Reason;

constexpr Duration first_byte_within = 10s;
constexpr Duration whole_head_within = 10s;  // from its first byte
constexpr Duration kept_idle_for = 75s;      // between two requests of one client
constexpr Duration goodbye_within = 2s;

// A fatal alert, protocol_version (RFC 8446 section 6): what a TLS client that has come to a plain port understands.
constexpr std::string_view tls_alert{"\x15\x03\x01\x00\x02\x02\x46", 7};

enum class HeadRead : std::uint8_t {
    complete,
    refused,  // the story has the reason; the client can be answered
    gone,     // the story has the reason; nobody is there to be answered
    silent,   // an end without a word: no story
};

void report(const Connection& connection, const Request& request, const Story& story) {
    const Session& session = connection.session;
    const auto& facts = request.facts;
    connection.gate().counters().passed(telemetry::Protocol::http, story.bytes_in, story.bytes_out);
    connection.gate().report({
        .time = story.began,
        .protocol = telemetry::Protocol::http,
        .listener = session.listener->address,
        .client = session.client,
        .service = story.service,
        .looked_for = facts.authority.host(),
        .nearest = story.nearest,
        .target = story.target,
        .tls_client = session.tls,
        .tls_target = story.tls_target,
        .verdict = story.forwarded ? telemetry::Verdict::forwarded : telemetry::Verdict::refused,
        .reason = story.reason,
        .bytes_in = story.bytes_in,
        .bytes_out = story.bytes_out,
        .duration = session.gate.loop().now() - story.since,
        .method = facts.method_text,
        .url = facts.target,
        .status = story.status,
        .detail = story.detail,
    });
}

io::Task<bool> shake_hands(Connection& connection) {
    Story story{connection.loop()};
    ClientHandshake shaken = co_await shake_hands_with_client(connection.session, connection.client);
    if (shaken.reason == Reason::ok && !shaken.silent) co_return true;
    if (shaken.silent) co_return false;
    story.reason = shaken.reason;
    story.detail = std::move(shaken.detail);
    if (shaken.plain_http) {
        const Answer answer{.reason = code(story.reason),
                            .cause = text_of(story.reason).cause,
                            .keep_alive = false,
                            .time = story.began};
        const std::string page = write_answer(answer);
        story.status = refusal_row(answer.reason).status;
        story.bytes_out = page.size();
        connection.client.attach(nullptr);  // in plain text, as the client speaks
        connection.client.write(as_bytes(page));
    }
    report(connection, {}, story);
    if (!shaken.gone) co_await close_lingering(connection.client, connection.loop().in(goodbye_within));
    co_return false;
}

io::Task<HeadRead> first_byte(Connection& connection, Story& story, bool first) {
    Session& session = connection.session;
    connection.inbox.rest();
    if (!first && connection.gate().draining()) co_return HeadRead::silent;
    session.idle = true;
    const Duration patience = first ? first_byte_within : kept_idle_for;
    const io::Wait waited = co_await connection.client.readable(connection.loop().in(patience));
    session.idle = false;
    if (waited == io::Wait::ready) {
        story = Story{connection.loop()};  // it begins with its first byte, not with the wait for it
        co_return HeadRead::complete;
    }
    if (!first || waited == io::Wait::cancelled) co_return HeadRead::silent;
    story.reason = Reason::peek_timeout;
    story.detail = "not a byte came";
    co_return HeadRead::refused;
}

HeadRead refused(Story& story, Reason reason, std::string_view detail, std::uint16_t status = 0) {
    story.reason = reason;
    story.detail = detail;
    story.status = status;
    return HeadRead::refused;
}

// Reads until the head at the front of the inbox is whole.
io::Task<HeadRead> read_head(Connection& connection, Request& request, Story& story, bool first) {
    Inbox& inbox = connection.inbox;
    inbox.rewind();
    if (inbox.empty()) {
        const HeadRead came = co_await first_byte(connection, story, first);
        if (came != HeadRead::complete) co_return came;
    }
    const io::Deadline deadline = connection.loop().in(whole_head_within);
    HttpScratch& scratch = connection.gate().http_scratch();
    for (;;) {
        if (!inbox.empty()) {
            scratch.request_of = nullptr;  // whosever head it held, from here on it is that no more
            const auto result = parse_request(inbox.unread(), scratch.request);
            story.bytes_in = inbox.unread().size();
            if (result.complete() && result.length <= Inbox::max_head) {
                scratch.request_of = &request;
                request.facts = scratch.request;
                request.head_length = result.length;
                story.bytes_in = result.length;
                inbox.consume(result.length);
                co_return HeadRead::complete;
            }
            if (result.refused())
                co_return refused(story, reason_of(result.error), text(result.error), status_for(result.error));
            if (inbox.unread().size() >= Inbox::max_head)
                co_return refused(story, Reason::peek_too_large, "the head exceeds 16 KiB");
        }
        const io::Got got = inbox.fill(connection.client);
        if (got.io == io::Io::ok) continue;
        if (got.io != io::Io::again) {
            if (inbox.empty()) co_return HeadRead::silent;
            story.reason = got.io == io::Io::eof ? Reason::client_closed : Reason::client_reset;
            story.detail = "in the middle of the head";
            co_return HeadRead::gone;
        }
        const io::Wait waited = co_await connection.client.readable(deadline);
        if (waited == io::Wait::ready) continue;
        if (inbox.empty()) co_return HeadRead::silent;  // an edge without bytes, then nothing
        if (waited == io::Wait::timeout)
            co_return refused(story, Reason::peek_timeout, "the head was not whole in time");
        story.reason = connection.session.ended_by;
        co_return HeadRead::gone;
    }
}

// A body that nobody will read makes the connection useless.
bool outlives_own_answer(const Request& request) {
    return request.facts.keep_alive && request.facts.framing.kind == sallyport::http::Framing::Kind::none;
}

bool is_challenge(const Request& request) {
    using sallyport::http::Method;
    const bool reads = request.facts.method == Method::get || request.facts.method == Method::head;
    return reads && !request.snapshot->routing->config().listen.acme_challenges.value.empty() &&
           !challenge_token(request.facts.path).empty();
}

// The answer to the authority that asks whether a name is ours. False: there is none, and the services are asked.
io::Task<bool> answer_challenge(Connection& connection, const Request& request, Story& story) {
    const auto content =
        co_await read_challenge(connection, request.snapshot->routing->config().listen.acme_challenges.value,
                                std::string(challenge_token(request.facts.path)));
    if (!content) co_return false;
    story.forwarded = true;
    story.target = "builtin:acme-challenge";
    story.status = 200;
    const bool keep_alive = outlives_own_answer(request);
    // RFC 8555 section 8.3 wants this media type.
    std::string page = write_page("application/octet-stream", *content, request.facts.method, keep_alive);
    co_await send_own(connection, request, story, std::move(page), keep_alive);
    co_return true;
}

Decision decide_request(Connection& connection, const Request& request) {
    const Snapshot& routing = *request.snapshot->routing;
    const auto& facts = request.facts;
    const IpAddress& client = connection.session.client.ip;
    Ask ask{.protocol = config::Protocol::http,
            .name = facts.authority.host(),
            .client = client,
            .tls = connection.session.tls,
            .path = facts.path};
    std::string server_name;
    if (const io::TlsSession* tls = connection.client.tls()) {
        // A trusted proxy sends what many clients asked for through one connection of its own.
        if (!routing.trusted_proxies().contains(client)) server_name = tls->server_name();
        if (server_name.ends_with('.')) server_name.pop_back();
        ask.server_name = server_name;
        if (routing.asks_for_certificate(ask.name))
            ask.certificate = connection.shown().verdict(connection.loop().wall());
    }
    return decide(routing, ask);
}

// The decision, and what it leads to.
io::Task<void> answer_request(Connection& connection, Request& request, Story& story) {
    const auto& facts = request.facts;
    if (is_challenge(request)) {
        const bool answered = co_await answer_challenge(connection, request, story);
        if (answered) co_return;
        request.snapshot = connection.gate().snapshot();  // the disk took its time: this one may be another
    }
    if (connection.gate().guard().banned(connection.session.client.ip)) {
        story.reason = Reason::ban_active;
        co_return co_await refuse(connection, request, story);
    }
    request.decision = decide_request(connection, request);
    if (request.decision.service != nullptr) story.service = request.decision.service->name;
    if (!request.decision.admitted()) {
        story.reason = request.decision.reason;
        if (story.reason == Reason::service_unknown)
            story.nearest = request.snapshot->routing->nearest_name(config::Protocol::http, facts.authority.host());
        if (story.reason == Reason::cert_untrusted) story.detail = connection.shown().detail();
        co_return co_await refuse(connection, request, story);
    }
    story.forwarded = true;
    connection.session.busy_with(story.service, {});
    const config::Target& target = request.decision.service->settings->targets.front().value;
    if (target.kind == config::Target::Kind::builtin) {
        story.target = target_text(target, 0);
        story.status = 200;
        const bool keep_alive = outlives_own_answer(request);
        std::string page = welcome_page(facts.method, facts.authority.host(), keep_alive);
        co_return co_await send_own(connection, request, story, std::move(page), keep_alive);
    }
    co_await forward(connection, request, story);
    story.forwarded = story.forwarded && (story.status != 0 || story.reason == Reason::ok);
}

// One request, from its first byte to its record. False: the connection has ended.
io::Task<bool> serve_request(Connection& connection, bool first) {
    Request request;
    Story story{connection.loop()};
    const HeadRead read = co_await read_head(connection, request, story, first);
    if (read == HeadRead::silent) co_return false;
    connection.gate().counters().http_request();
    if (read == HeadRead::complete) {
        request.snapshot = connection.gate().snapshot();
        co_await answer_request(connection, request, story);
    } else if (read == HeadRead::refused && story.reason == Reason::tls_on_plain_port) {
        connection.client.write(as_bytes(tls_alert));
        story.status = 0;  // no HTTP was spoken
        story.bytes_out = tls_alert.size();
    } else if (read == HeadRead::refused) {
        request.facts.keep_alive = false;  // where the next request would begin is unknown
        co_await refuse(connection, request, story);
    }
    connection.session.at_rest();
    if (!connection.tunnel) report(connection, request, story);
    co_return story.keep_alive;
}

// The same URL by https. Clients and caches are told not to remember it: what is configured today may change.
std::string https_url(const Request& request) {
    const auto& facts = request.facts;
    // HTTP/1.0 may name nobody; the default service has a name of its own.
    const std::string_view host =
        facts.authority.empty() ? std::string_view(request.decision.service->name) : facts.authority.host();
    std::string url = "https://" + std::string(host);
    const std::uint16_t port = request.snapshot->routing->https_port();
    if (port != 443) url += ":" + std::to_string(port);
    if (facts.path.starts_with('/')) url += facts.path;
    if (facts.has_query) url += "?" + std::string(facts.query);
    return url;
}

// A GET may become any GET again; other methods must stay what they are (RFC 9110 section 15.4.9).
std::uint16_t redirect_status(sallyport::http::Method method) {
    using sallyport::http::Method;
    return method == Method::get || method == Method::head ? 301 : 308;
}

}  // namespace

const Identity& Connection::shown() {
    if (!identity)
        identity =
            std::make_unique<Identity>(client.is_tls() ? client.tls()->peer_certificate() : io::PeerCertificate{});
    return *identity;
}

io::Task<void> send_own(Connection& connection, const Request& request, Story& story, std::string response,
                        bool keep_alive) {
    story.keep_alive = keep_alive;
    story.bytes_out += response.size();
    const Duration patience =
        request.decision.service == nullptr ? whole_head_within : request.decision.service->settings->idle_timeout;
    const io::Deadline deadline = patience > Duration{0} ? connection.loop().in(patience) : io::Deadline::none;
    const io::Wait sent = co_await connection.client.write_all(std::move(response), deadline);
    if (sent == io::Wait::ready) co_return;
    story.keep_alive = false;
    if (story.reason == Reason::ok)
        story.reason = sent == io::Wait::timeout ? Reason::client_stalled : Reason::client_closed;
}

io::Task<void> refuse(Connection& connection, const Request& request, Story& story) {
    const auto& facts = request.facts;
    story.forwarded = false;
    const bool keep_alive = outlives_own_answer(request) && !connection.gate().draining();
    Answer answer{.reason = code(story.reason),
                  .cause = text_of(story.reason).cause,
                  .looked_for = facts.authority.host(),
                  .method = facts.method,
                  .status = story.status,
                  .keep_alive = keep_alive,
                  .time = connection.loop().wall()};
    if (story.reason == Reason::service_redirected) {
        answer.location = https_url(request);
        answer.status = story.status = redirect_status(facts.method);
    }
    if (story.status == 0) story.status = refusal_row(answer.reason).status;
    co_await send_own(connection, request, story, write_answer(answer), keeps_alive(answer));
}

io::Task<std::unique_ptr<Tunnel>> serve(Session& session, io::Stream& client) {
    Connection connection{session, client, {}, {}, {}, {}};
    bool goes_on = true;
    if (session.tls && !client.is_tls()) goes_on = co_await shake_hands(connection);
    for (bool first = true; goes_on; first = false) goes_on = co_await serve_request(connection, first);
    if (!connection.tunnel && client.is_open())
        co_await close_lingering(client, session.gate.loop().in(goodbye_within));
    co_return std::move(connection.tunnel);
}

}  // namespace sallyport::gate::http
