#include "gate/tls/pass_by_sni.hpp"

#include "base/text.hpp"
#include "gate/targets.hpp"
#include "gate/tunnel.hpp"
#include "io/relay.hpp"
#include "wire/tls/client_hello.hpp"

#include <chrono>

namespace sallyport::gate::tls {

namespace {

using namespace std::chrono_literals;
using telemetry::Reason;

constexpr Duration hello_within = 10s;
constexpr Duration goodbye_within = 2s;
// Of the first bytes: a ClientHello and the heads of its records. One that is cut into smaller records than any client
// does would have to be read anew too often.
constexpr std::size_t most_peeked = sallyport::tls::max_client_hello + std::size_t{4} * 1024;

// Fatal alerts (RFC 8446 section 6.2), in the clear as before any handshake.
constexpr std::string_view access_denied{"\x15\x03\x03\x00\x02\x02\x31", 7};
constexpr std::string_view internal_error{"\x15\x03\x03\x00\x02\x02\x50", 7};

// The name that the client asks for; empty when it sends none, or anything but a whole ClientHello in time: then the
// handshake that follows finds out what is wrong, and says so.
io::Task<std::string> peek_server_name(io::Stream& client) {
    io::Loop& loop = client.loop();
    const io::Deadline deadline = loop.in(hello_within);
    sallyport::tls::ClientHello hello;
    for (;;) {
        const io::Got got = client.peek(loop.buffer().first(most_peeked));
        if (got.io == io::Io::ok) {
            const auto result = read_client_hello(Bytes(loop.buffer()).first(got.bytes), hello);
            if (result.state == sallyport::tls::HelloResult::State::complete) co_return std::move(hello.server_name);
            if (result.state == sallyport::tls::HelloResult::State::refused || got.bytes == most_peeked)
                co_return std::string();
        } else if (got.io != io::Io::again) {
            co_return std::string();
        }
        if (client.watched().hung_up) co_return std::string();  // no more will come
        client.watched().readable = false;  // what is there stays there: the next edge tells of more
        const io::Wait waited = co_await client.readable(deadline);
        if (waited != io::Wait::ready) co_return std::string();
    }
}

struct Story {
    std::string name;
    std::string service;
    std::string target;
    std::string detail;
    Reason reason = Reason::ok;
    bool forwarded = false;
    io::Relayed relayed;
};

void report(Session& session, const Story& story, SteadyTime since, WallTime began) {
    Gate& gate = session.gate;
    gate.counters().passed(telemetry::Protocol::tls, story.relayed.to_target, story.relayed.to_client);
    gate.report({.time = began,
                 .protocol = telemetry::Protocol::tls,
                 .listener = session.listener.address,
                 .client = session.client,
                 .service = story.service,
                 .looked_for = story.name,
                 .nearest = {},
                 .target = story.target,
                 .tls_client = true,
                 .tls_target = true,
                 .verdict = story.forwarded ? telemetry::Verdict::forwarded : telemetry::Verdict::refused,
                 .reason = story.reason,
                 .bytes_in = story.relayed.to_target,
                 .bytes_out = story.relayed.to_client,
                 .duration = gate.loop().now() - since,
                 .method = {},
                 .url = {},
                 .status = 0,
                 .detail = story.detail});
}

io::Task<void> refuse(io::Stream& client, std::string_view alert) {
    client.write(as_bytes(alert));
    co_await close_lingering(client, client.loop().in(goodbye_within));
}

io::Task<void> pass(Session& session, io::Stream& client, SnapshotHandle snapshot, Decision decision, Story& story) {
    if (!decision.admitted()) {
        story.reason = decision.reason;
        co_return co_await refuse(client, access_denied);
    }
    auto dialed = co_await dial_target(session.gate, session.cancellation, snapshot, decision, story.name);
    if (!dialed) {
        story.reason = dialed.error().reason;
        story.target = std::move(dialed.error().target);
        story.detail = std::move(dialed.error().detail);
        co_return co_await refuse(client, internal_error);
    }
    story.target = std::move(dialed->target);
    story.forwarded = true;
    session.enter_tunnel(config::Protocol::tls, decision.service->settings->names.front().value);
    snapshot.reset();  // a connection that lasts for days keeps no old configuration
    keep_alive_by_kernel(client);
    keep_alive_by_kernel(dialed->stream);
    story.relayed = co_await io::relay(client, dialed->stream, {});
    story.reason = tunnel_reason(story.relayed.end, session);
}

}  // namespace

io::Task<bool> pass_by_sni(Session& session, io::Stream& client) {
    Gate& gate = session.gate;
    Story story;
    story.name = co_await peek_server_name(client);
    if (story.name.ends_with('.')) story.name.pop_back();
    SnapshotHandle snapshot = gate.snapshot();
    if (story.name.empty() || snapshot->routing->find(config::Protocol::tls, story.name) == nullptr) co_return false;

    const SteadyTime since = gate.loop().now();
    const WallTime began = gate.loop().wall();
    gate.counters().accepted(telemetry::Protocol::tls);
    const Decision decision = decide(
        *snapshot->routing,
        {.protocol = config::Protocol::tls, .name = story.name, .client = session.client.ip, .tls = true, .path = {}});
    story.service = decision.service->name;
    co_await pass(session, client, std::move(snapshot), decision, story);
    report(session, story, since, began);
    gate.counters().closed(telemetry::Protocol::tls);
    co_return true;
}

void explain(const Snapshot& snapshot, const Question& question, bool tls, std::string_view name,
             Explanation& explanation) {
    explanation.protocol = "tls";
    explanation.looked_for = to_lower(name.substr(0, name.ends_with('.') ? name.size() - 1 : name.size()));
    const Ask ask{.protocol = config::Protocol::tls,
                  .name = explanation.looked_for,
                  .client = question.client,
                  .tls = tls,
                  .path = {}};
    conclude(snapshot, ask, explanation);
}

}  // namespace sallyport::gate::tls
