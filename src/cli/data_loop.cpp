#include "cli/data_loop.hpp"

namespace sallyport::cli {

DataLoop::DataLoop(std::unique_ptr<io::Loop> loop, std::size_t most_sessions)
    : loop_(std::move(loop)),
      listeners_(*loop_, {.accepted = [this](const listeners::Listener& listener,
                                             io::Accepted&& accepted) { gate_->take(listener, std::move(accepted)); },
                          .capacity = [this, most_sessions] { return gate_->open_sessions() < most_sessions; },
                          .trouble =
                              [this](const listeners::Listener& listener, const std::string& what) {
                                  logger_->log(telemetry::Level::warn, what, {{"listener", listener.address}});
                              }}),
      scope_(*loop_) {}

namespace {

io::Task<void> ends(listeners::LoopListeners& listeners, gate::Gate& gate, Duration patience,
                    std::function<void()> done) {
    const io::Deadline deadline = gate.loop().in(patience);
    co_await listeners.close_all();
    co_await gate.finish(deadline);
    done();
}

}  // namespace

void DataLoop::open_gate(telemetry::Logger& logger, const std::string& node, gate::SnapshotHandle snapshot) {
    logger_ = &logger;
    gate_.emplace(*loop_, logger.add_reporter(), counters_, node);
    gate_->adopt(std::move(snapshot));
}

void DataLoop::start() {
    thread_ = std::thread([this] { loop_->run(); });
}

void DataLoop::finish(Duration patience, std::function<void()> done) {
    loop_->post([this, patience, done = std::move(done)]() mutable {
        scope_.spawn(ends(listeners_, *gate_, patience, std::move(done)));
    });
}

void DataLoop::join() {
    loop_->stop();
    if (thread_.joinable()) thread_.join();
}

}  // namespace sallyport::cli
