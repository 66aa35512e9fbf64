#include "cli/data_loop.hpp"

#include "cli/settings.hpp"

#include <algorithm>

namespace sallyport::cli {

DataLoop::DataLoop(std::unique_ptr<io::Loop> loop, std::size_t number, std::size_t capacity)
    : loop_(std::move(loop)),
      number_(number),
      capacity_(capacity),
      listeners_(*loop_, {.accepted = [this](const listeners::ListenerHandle& listener,
                                             io::Accepted&& accepted) { deal(listener, std::move(accepted)); },
                          .capacity = [this] { return gate_->has_room(push_->open() + turn_->connections()); },
                          .trouble =
                              [this](const listeners::Listener& listener, const std::string& what) {
                                  logger_->log(telemetry::Level::warn, what, {{"listener", listener.address}});
                              }}),
      scope_(*loop_) {}

namespace {

// The end of everything on a loop; calls go on beside the gate's connections until both have ended.
io::Task<void> ends(listeners::LoopListeners& listeners, gate::Gate& gate, push::Server& push, turn::TurnLoop& turn,
                    dns::Server& dns, Duration patience, std::function<void()> done) {
    const io::Deadline deadline = gate.loop().in(patience);
    io::Scope scope(gate.loop());
    scope.spawn(turn.finish(deadline));
    co_await listeners.close_all();
    scope.spawn(dns.finish());  // who waits for the name of a courier, waits until push has finished
    scope.spawn(push.finish(deadline));
    co_await gate.finish(deadline);
    co_await scope.join();
    done();
}

}  // namespace

void DataLoop::while_it_lives(std::move_only_function<void()> work) {
    loop_->post([lives = std::weak_ptr(lives_), work = std::move(work)]() mutable {
        if (!lives.expired()) work();
    });
}

void DataLoop::open_gate(telemetry::Logger& logger, gate::GateShared& shared, gate::SnapshotHandle snapshot) {
    logger_ = &logger;
    gate_.emplace(*loop_, logger.add_reporter(), counters_, shared, number_, capacity_);
    gate_->adopt(std::move(snapshot));
}

// A listener on all addresses of a port takes the connections to couriers on that port, too.
void DataLoop::deal(const listeners::ListenerHandle& listener, io::Accepted accepted) {
    if (listener->kind == turn_kind)
        turn_->take(listener, std::move(accepted));
    else if (listener->kind == dns_kind)
        dns_->take(listener->address, std::move(accepted));
    else if (listener->kind == push::listener_kind || push_->takes(accepted.fd.get()))
        push_->take(listener, std::move(accepted));
    else
        gate_->take(listener, std::move(accepted));
}

void DataLoop::open_push(telemetry::Logger& logger, decltype(push::Server::Options::resolve) resolve) {
    push_.emplace(*loop_, push::Server::Options{.reporter = logger.add_reporter(),
                                                .counters = counters_,
                                                .clients = gate_->shared().clients,
                                                .most_of_client = [this] { return gate_->most_of_client(); },
                                                .sources = &*sources_,
                                                .guard = &gate_->guard(),
                                                .unknown =
                                                    [&logger](const std::string& name) {
                                                        logger.log(telemetry::Level::warn,
                                                                   "a courier of a family that is not known here is "
                                                                   "forwarded: devices will not reach it",
                                                                   {{"name", name}});
                                                    },
                                                .resolve = std::move(resolve)});
}

void DataLoop::adopt(std::shared_ptr<const push::Policy> policy) {
    while_it_lives([this, policy = std::move(policy)] { push_->adopt(policy); });
}

void DataLoop::open_turn(turn::Shared& shared, turn::SettingsHandle settings, TurnTls tls) {
    constexpr std::size_t ring_bytes = std::size_t{1} << 18;  // allocations end more rarely than requests
    turn_.emplace(*loop_, logger_->add_reporter(ring_bytes), counters_, gate_->guard(), shared, std::move(settings));
    turn_->adopt(std::move(tls.tls));
    turn_->adopt(std::move(tls.dtls));
    gate_->hand_turn_to([this](gate::Session& session, io::Stream& client) {
        return turn_->serve({client, session.cancellation, session.client, session.listener});
    });
    turn_->count_clients(gate_->shared().clients, gate_->shared().capacity);
}

void DataLoop::adopt(std::shared_ptr<const guard::Bans> bans) {
    while_it_lives([this, bans = std::move(bans)] { gate_->guard().adopt(bans); });
}

void DataLoop::dial_from(egress::Lookup::Ask ask) {
    sources_.emplace(*loop_, std::move(ask));
    gate_->dial_from(*sources_);
}

void DataLoop::sources_changed(std::vector<IpAddress> clients, bool enabled) {
    while_it_lives([this, clients = std::move(clients), enabled] {
        if (sources_->enabled() != enabled)
            sources_->enable(enabled);
        else
            sources_->forget(clients);
    });
}

void DataLoop::with_turn(std::move_only_function<void(turn::TurnLoop&)> work) {
    while_it_lives([this, work = std::move(work)]() mutable {
        if (turn_) work(*turn_);
    });
}

void DataLoop::open_dns(std::uint64_t seed, dns::LoopZones zones) {
    constexpr std::size_t ring_bytes = std::size_t{1} << 18;  // questions are logged only where that is asked for
    dns_.emplace(*loop_, logger_->add_reporter(ring_bytes), counters_, gate_->guard(),
                 dns::ServerOptions{.seed = seed, .tcp_capacity = std::max<std::size_t>(1, capacity_ / 4)});
    dns_->set_claims(&push_->claims());
    dns_->adopt(std::move(zones));
}

void DataLoop::with_dns(std::move_only_function<void(dns::Server&)> work) {
    while_it_lives([this, work = std::move(work)]() mutable {
        if (dns_) work(*dns_);
    });
}

void DataLoop::start() {
    thread_ = std::thread([this] { loop_->run(); });
}

void DataLoop::finish(Duration patience, std::function<void()> done) {
    loop_->post([this, patience, done = std::move(done)]() mutable {
        scope_.spawn(ends(listeners_, *gate_, *push_, *turn_, *dns_, patience, std::move(done)));
    });
}

void DataLoop::join() {
    loop_->stop();
    if (thread_.joinable()) thread_.join();
}

}  // namespace sallyport::cli
