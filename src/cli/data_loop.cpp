#include "cli/data_loop.hpp"

#include "cli/dns_settings.hpp"

#include <algorithm>

namespace sallyport::cli {

DataLoop::DataLoop(std::unique_ptr<io::Loop> loop, std::size_t number, std::size_t capacity)
    : loop_(std::move(loop)),
      number_(number),
      capacity_(capacity),
      listeners_(*loop_, {.accepted =
                              [this](const listeners::ListenerHandle& listener, io::Accepted&& accepted) {
                                  if (listener->kind == dns_kind)
                                      dns_->take(listener->address, std::move(accepted));
                                  else
                                      gate_->take(listener, std::move(accepted));
                              },
                          .capacity = [this] { return gate_->has_room(); },
                          .trouble =
                              [this](const listeners::Listener& listener, const std::string& what) {
                                  logger_->log(telemetry::Level::warn, what, {{"listener", listener.address}});
                              }}),
      scope_(*loop_) {}

namespace {

io::Task<void> ends(listeners::LoopListeners& listeners, gate::Gate& gate, dns::Server& dns, Duration patience,
                    std::function<void()> done) {
    const io::Deadline deadline = gate.loop().in(patience);
    co_await listeners.close_all();
    co_await dns.finish();
    co_await gate.finish(deadline);
    done();
}

}  // namespace

void DataLoop::open_gate(telemetry::Logger& logger, gate::GateShared& shared, gate::SnapshotHandle snapshot) {
    logger_ = &logger;
    gate_.emplace(*loop_, logger.add_reporter(), counters_, shared, number_, capacity_);
    gate_->adopt(std::move(snapshot));
}

void DataLoop::adopt(std::shared_ptr<const guard::Bans> bans) {
    loop_->post([this, lives = std::weak_ptr(lives_), bans = std::move(bans)] {
        if (!lives.expired()) gate_->guard().adopt(bans);
    });
}

void DataLoop::open_dns(std::uint64_t seed, dns::LoopZones zones) {
    constexpr std::size_t ring_bytes = std::size_t{1} << 18;  // questions are logged only where that is asked for
    dns_.emplace(*loop_, logger_->add_reporter(ring_bytes), counters_, gate_->guard(),
                 dns::ServerOptions{.seed = seed, .tcp_capacity = std::max<std::size_t>(1, capacity_ / 4)});
    dns_->adopt(std::move(zones));
}

void DataLoop::with_dns(std::move_only_function<void(dns::Server&)> work) {
    loop_->post([this, lives = std::weak_ptr(lives_), work = std::move(work)]() mutable {
        if (!lives.expired() && dns_) work(*dns_);
    });
}

void DataLoop::start() {
    thread_ = std::thread([this] { loop_->run(); });
}

void DataLoop::finish(Duration patience, std::function<void()> done) {
    loop_->post([this, patience, done = std::move(done)]() mutable {
        scope_.spawn(ends(listeners_, *gate_, *dns_, patience, std::move(done)));
    });
}

void DataLoop::join() {
    loop_->stop();
    if (thread_.joinable()) thread_.join();
}

}  // namespace sallyport::cli
