#include "gate/gate.hpp"

#include "gate/http/scratch.hpp"
#include "gate/serve.hpp"
#include "gate/signs.hpp"
#include "gate/tunnel.hpp"

#include <algorithm>
#include <utility>

namespace sallyport::gate {

Session::Session(Gate& on, listeners::ListenerHandle through, SocketAddress from)
    : gate(on),
      listener(std::move(through)),
      client(from),
      id(++on.last_id_),
      since(on.loop_.now()),
      tls(listener->tls) {
    on.sessions_.push_back(*this);
}

Session::~Session() {
    if (counted) gate.shared_.clients.leave(client.ip);
}

Gate::Gate(io::Loop& loop, telemetry::Reporter& reporter, telemetry::LoopCounters& counters, GateShared& shared,
           std::size_t number, std::size_t capacity)
    : loop_(loop),
      reporter_(reporter),
      counters_(counters),
      shared_(shared),
      capacity_(capacity),
      last_id_(std::uint64_t{number} << id_bits),
      http_scratch_(std::make_unique<HttpScratch>()),
      kept_(loop),
      guard_(shared.wake_guard),
      scope_(loop) {}

Gate::~Gate() = default;

namespace {

// A wildcard that would take its name now is another service.
bool lost_its_service(const Session& session, const Snapshot& routing) {
    if (session.tunnel == nullptr) return false;
    const Service* found = routing.find(session.protocol, session.service);
    return found == nullptr || !found->is_named(session.service);
}

}  // namespace

void Gate::adopt(SnapshotHandle snapshot) {
    snapshot_ = std::move(snapshot);
    ++snapshot_number_;
    kept_.clear();
    turns_.assign(snapshot_->routing->services().size(), static_cast<std::uint32_t>(last_id_ >> id_bits));
    bool removed = false;
    sessions_.for_each([&](Session& session) { removed = removed || lost_its_service(session, *snapshot_->routing); });
    if (removed) scope_.spawn(end_removed_tunnels(snapshot_->routing->config().node.drain_timeout));
}

void Gate::adopt(std::shared_ptr<const net::NameTable> names) {
    names_ = std::move(names);
    kept_.clear();  // a name may mean another machine now
}

io::Task<void> Gate::end_removed_tunnels(Duration patience) {
    co_await io::Sleep(loop_, scope_.cancellation(), loop_.in(patience));
    // By then the service may be back.
    sessions_.for_each([this](Session& session) {
        if (lost_its_service(session, *snapshot_->routing)) session.end(telemetry::Reason::service_removed);
    });
}

void Gate::has_tunnel() {
    if (!std::exchange(looking_after_tunnels_, true)) scope_.spawn(look_after_tunnels());
}

io::Task<void> Gate::look_after_tunnels() {
    for (bool any = true; any && !scope_.cancellation().requested();) {
        co_await io::Sleep(loop_, scope_.cancellation(), loop_.in(tunnels_looked_after_every));
        any = false;
        sessions_.for_each([&any](Session& session) {
            if (session.tunnel == nullptr) return;
            any = true;
            look_after(session);
        });
    }
    looking_after_tunnels_ = false;
}

void Gate::take(const listeners::ListenerHandle& listener, io::Accepted accepted) {
    if (guard_.banned(accepted.peer.ip)) return turn_away(*listener, std::move(accepted));
    scope_.spawn(serve(*this, listener, std::move(accepted)));
}

// As little as can be done: whoever is banned may come often.
void Gate::turn_away(const listeners::Listener& listener, io::Accepted accepted) {
    telemetry::Record record;
    record.time = loop_.wall();
    record.protocol = listener.kind == mux_kind ? telemetry::Protocol::mux
                                                : protocol_of(dialects()[static_cast<std::size_t>(listener.kind)].word);
    record.listener = listener.address;
    record.client = accepted.peer;
    record.tls_client = listener.tls;
    record.reason = telemetry::Reason::ban_active;
    report(record);
    io::reset_when_closed(accepted.fd.get());
}

bool Gate::has_room(std::size_t beside) {
    const std::uint32_t configured = snapshot_->routing->config().listen.max_connections;
    if (configured != 0 && shared_.clients.total() >= configured) return false;
    // A session is a client's descriptor and a target's.
    const std::size_t open = scope_.running() + beside;
    if (open + kept_.size() / 2 < capacity_) return true;
    kept_.clear();
    return open < capacity_;
}

std::uint32_t Gate::most_of_client() const {
    return listeners::ClientCounts::share_of(snapshot_->routing->config().listen.max_connections_per_client,
                                             shared_.capacity);
}

void Gate::drain() {
    draining_ = true;
    sessions_.for_each([](Session& session) {
        if (session.idle) session.end(telemetry::Reason::draining);
    });
}

io::Task<void> Gate::finish(io::Deadline patience) {
    drain();
    while (!sessions_.empty() && !hurried_ && loop_.now() < patience.when()) {
        co_await io::Sleep(loop_, scope_.cancellation(), loop_.in(std::chrono::milliseconds(50)));
    }
    sessions_.for_each([](Session& session) { session.end(telemetry::Reason::draining); });
    scope_.cancel();
    co_await scope_.join();
    co_await kept_.close();
}

void Gate::suspect(const Session& session, guard::Sign sign, std::uint64_t credential) {
    guard_.suspect({.client = session.client.ip,
                    .protocol = session.counted_as(),
                    .sign = sign,
                    .credential = credential,
                    .time = loop_.now()});
}

void Gate::report(const telemetry::Record& record) {
    counters_.ended(record);
    reporter_.report(record);
    if (record.verdict != telemetry::Verdict::refused) return;
    if (const auto sign = sign_of(record.reason)) {
        guard_.suspect({.client = record.client.ip, .protocol = record.protocol, .sign = *sign, .time = loop_.now()});
    }
}

}  // namespace sallyport::gate
