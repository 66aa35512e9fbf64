#include "gate/gate.hpp"

#include "gate/http/scratch.hpp"

namespace sallyport::gate {

Session::Session(Gate& on, listeners::Listener through, SocketAddress from)
    : gate(on), listener(std::move(through)), client(from) {
    on.sessions_.push_back(*this);
}

Session::~Session() = default;

Gate::Gate(io::Loop& loop, telemetry::Reporter& reporter, telemetry::LoopCounters& counters, std::string node)
    : loop_(loop),
      reporter_(reporter),
      counters_(counters),
      node_(std::move(node)),
      http_scratch_(std::make_unique<HttpScratch>()),
      scope_(loop) {}

Gate::~Gate() = default;

namespace {

bool lost_its_service(const Session& session, const Snapshot& routing) {
    return !session.tunnel_name.empty() && routing.find(session.tunnel_protocol, session.tunnel_name) == nullptr;
}

}  // namespace

void Gate::adopt(SnapshotHandle snapshot) {
    snapshot_ = std::move(snapshot);
    bool removed = false;
    sessions_.for_each([&](Session& session) { removed = removed || lost_its_service(session, *snapshot_->routing); });
    if (removed) scope_.spawn(end_removed_tunnels(snapshot_->routing->config().node.drain_timeout));
}

io::Task<void> Gate::end_removed_tunnels(Duration patience) {
    co_await io::Sleep(loop_, scope_.cancellation(), loop_.in(patience));
    // By then the service may be back.
    sessions_.for_each([this](Session& session) {
        if (lost_its_service(session, *snapshot_->routing)) session.end(telemetry::Reason::service_removed);
    });
}

void Gate::take(const listeners::Listener& listener, io::Accepted accepted) {
    const Dialect& dialect = dialects()[static_cast<std::size_t>(listener.kind)];
    scope_.spawn(dialect.serve(*this, listener, std::move(accepted)));
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
}

void Gate::report(const telemetry::Record& record) {
    counters_.ended(record);
    reporter_.report(record);
}

}  // namespace sallyport::gate
