// The running gateway and the firewall around it: what is left of a change that was never confirmed is undone at the
// start, and when somebody takes our table away it is told. Both by root's rights, which the gateway then gives up.
#include "cli/daemon.hpp"

#include "firewall/apply.hpp"
#include "io/wait_any.hpp"

#include <chrono>

namespace sallyport::cli {

using namespace std::chrono_literals;
using telemetry::Level;

namespace {

constexpr std::string_view not_watched =
    "the firewall is not watched: that takes CAP_NET_ADMIN at the start; sallyport firewall diff tells";
constexpr Duration replacing_takes = 1s;  // between the end of a table and its successor, as news comes in

}  // namespace

// As root, to whom the files belong.
void Daemon::settle_firewall(const config::Firewall& firewall) {
    const auto state = firewall::StateDir::open(firewall.state_dir.value);
    const auto booted = state ? firewall::boot(*state) : std::unexpected(firewall::Failure{{}, state.error().message});
    if (!booted)
        firewall_notes_.emplace_back(Level::error, "the firewall could not be looked at: " + booted.error().message);
    if (booted && booted->recovered)
        firewall_notes_.emplace_back(Level::warn, "a change of the firewall that was never confirmed is undone");
    if (booted && !booted->refused.empty())
        firewall_notes_.emplace_back(
            Level::error, booted->refused + "; the rules that were confirmed before these are loaded instead");
    if (booted && booted->loaded && booted->refused.empty())
        firewall_notes_.emplace_back(Level::info, "the confirmed rules of the firewall are loaded");
}

// The process that may do it starts while we still may.
void Daemon::start_mender(const config::Firewall& firewall) {
    Result<firewall::Mender> mender = fail("that takes a start as root");
    if (may_change_firewall()) mender = firewall::Mender::start(firewall.state_dir.value);
    if (mender)
        firewall_mender_ = std::move(*mender);
    else
        firewall_notes_.emplace_back(Level::warn, "restore of [firewall] has no effect: " + mender.error().message);
}

// Before privileges go. Nothing here keeps the gateway from serving: what went wrong is told once there is a log.
void Daemon::look_at_firewall() {
    const auto& firewall = loaded_->config->firewall;
    if (firewall.place.line == 0) return;
    if (may_change_firewall()) settle_firewall(firewall);
    if (firewall.restore) start_mender(firewall);
    if (!may_rule_kernel()) {
        firewall_notes_.emplace_back(Level::info, std::string(not_watched));
        return;
    }
    auto watch = firewall::Watch::open();
    if (watch)
        firewall_ = std::move(*watch);
    else
        firewall_notes_.emplace_back(Level::warn, "the firewall is not watched: " + watch.error().message);
}

void Daemon::tell_of_firewall(bool loaded) {
    if (loaded) return event(Level::info, "the firewall is loaded");
    event(Level::warn,
          "the firewall is gone: somebody took our table out of the kernel; sallyport firewall boot puts what was "
          "confirmed back");
    if (firewall_mender_) firewall_mender_->ask();
}

io::Task<void> Daemon::hear_mender() {
    if (!firewall_mender_) co_return;
    io::Watched* watched = loop_->watch(firewall_mender_->fd(), scope_.cancellation(), false);
    while (watched != nullptr && !scope_.cancellation().requested()) {
        co_await io::WaitAny<1>(io::Deadline::none, {{{watched, io::Interest::read}}});
        watched->readable = false;
        const auto answer = firewall_mender_->answer();
        if (answer && answer->empty()) event(Level::info, "the firewall was put back as it was confirmed");
        if (answer && !answer->empty()) event(Level::warn, "the firewall could not be put back", {{"error", *answer}});
        if (answer && *answer == firewall::Mender::gone) break;
    }
    if (watched != nullptr) loop_->unwatch(watched);
}

io::Task<void> Daemon::follow_firewall() {
    for (auto& [level, message] : firewall_notes_) event(level, std::move(message));
    firewall_notes_.clear();
    if (!firewall_) co_return;
    io::Watched* watched = loop_->watch(firewall_->fd(), scope_.cancellation(), false);
    if (watched == nullptr) co_return;
    scope_.spawn(hear_mender());
    bool told = firewall_->loaded();
    if (!told) event(Level::info, "no firewall of ours is loaded; sallyport firewall apply loads it");
    while (!scope_.cancellation().requested()) {
        co_await io::WaitAny<1>(io::Deadline::none, {{{watched, io::Interest::read}}});
        watched->readable = false;
        firewall_->read();
        if (firewall_->loaded() == told) continue;
        co_await io::Sleep(*loop_, scope_.cancellation(), loop_->in(replacing_takes));
        firewall_->read();
        if (firewall_->loaded() == told) continue;
        told = firewall_->loaded();
        tell_of_firewall(told);
    }
    loop_->unwatch(watched);
}

// Null: the configuration has none.
nlohmann::json Daemon::firewall_status() const {
    if (config().firewall.place.line == 0) return nullptr;
    return {{"watched", firewall_.has_value()},
            {"loaded", firewall_ ? nlohmann::json(firewall_->loaded()) : nlohmann::json(nullptr)},
            {"restores", firewall_mender_.has_value()}};
}

std::string Daemon::firewall_metrics() const {
    if (!firewall_) return "";
    return "# HELP sallyport_firewall_loaded Whether our table is in the kernel.\n# TYPE sallyport_firewall_loaded "
           "gauge\n"
           "sallyport_firewall_loaded " +
           std::to_string(firewall_->loaded() ? 1 : 0) + "\n";
}

}  // namespace sallyport::cli
