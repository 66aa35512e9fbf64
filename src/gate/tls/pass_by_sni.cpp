#include "gate/tls/pass_by_sni.hpp"

#include "base/text.hpp"
#include "gate/gate.hpp"
#include "gate/refusal.hpp"
#include "gate/tunnel.hpp"
#include "io/peek.hpp"
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

io::Task<void> refuse(io::Stream& client, std::string_view alert) {
    client.write(as_bytes(alert));
    co_await close_lingering(client, client.loop().in(goodbye_within));
}

}  // namespace

io::Task<std::string> peek_passed_name(Session& session, io::Stream& client) {
    sallyport::tls::ClientHello hello;
    const auto read = [&](Bytes bytes) {
        return read_client_hello(bytes, hello).state != sallyport::tls::HelloResult::State::need_more;
    };
    // Anything but a whole ClientHello in time has no name: the handshake that follows finds out what is wrong, and
    // says so.
    co_await peek_until(client, most_peeked, client.loop().in(hello_within), read);
    std::string name = std::move(hello.server_name);
    if (name.ends_with('.')) name.pop_back();
    if (session.gate.snapshot()->routing->find(config::Protocol::tls, name) == nullptr) name.clear();
    co_return name;
}

io::Task<std::unique_ptr<Tunnel>> serve(Session& session, io::Stream& client, std::string name) {
    Gate& gate = session.gate;
    const SnapshotHandle snapshot = gate.snapshot();
    const Decision decision =
        decide(*snapshot->routing,
               {.protocol = config::Protocol::tls, .name = name, .client = session.client.ip, .tls = true, .path = {}});
    if (!decision.admitted()) {
        Refusal about = about_decision(*snapshot->routing, config::Protocol::tls, decision, name, name);
        about.tls_client = true;
        report_refusal(session, about, session.since);
        co_await refuse(client, access_denied);
        co_return nullptr;
    }
    auto opened = co_await open_tunnel(session, client, snapshot, decision, name);
    if (!opened) {
        report_refusal(session,
                       {.reason = opened.error().reason,
                        .detail = opened.error().detail,
                        .looked_for = name,
                        .service = decision.service->name,
                        .target = opened.error().target,
                        .tls_client = true,
                        .tls_target = true},
                       session.since);
        co_await refuse(client, internal_error);
        co_return nullptr;
    }
    auto tunnel = std::move(*opened);
    tunnel->target.tls = true;  // the client's own
    co_return tunnel;
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
    conclude(snapshot, question, ask, explanation);
}

}  // namespace sallyport::gate::tls
