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
    if (booted && booted->loaded)
        firewall_notes_.emplace_back(Level::info, "the confirmed rules of the firewall are loaded");
}

// Before privileges go. Nothing here keeps the gateway from serving: what went wrong is told once there is a log.
void Daemon::look_at_firewall() {
    const auto& firewall = loaded_->config->firewall;
    if (firewall.place.line == 0) return;
    if (may_change_firewall()) settle_firewall(firewall);
    if (!may_rule_kernel()) {
        firewall_notes_.emplace_back(Level::info, "the firewall is not watched: that takes CAP_NET_ADMIN at the start");
        return;
    }
    auto watch = firewall::Watch::open();
    if (watch)
        firewall_ = std::move(*watch);
    else
        firewall_notes_.emplace_back(Level::warn, "the firewall is not watched: " + watch.error().message);
}

io::Task<void> Daemon::follow_firewall() {
    for (auto& [level, message] : firewall_notes_) event(level, std::move(message));
    firewall_notes_.clear();
    if (!firewall_) co_return;
    io::Watched* watched = loop_->watch(firewall_->fd(), scope_.cancellation(), false);
    if (watched == nullptr) co_return;
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
        if (told)
            event(Level::info, "the firewall is loaded");
        else
            event(Level::warn,
                  "the firewall is gone: somebody took our table out of the kernel; sallyport firewall apply "
                  "puts it back");
    }
    loop_->unwatch(watched);
}

std::string Daemon::firewall_metrics() const {
    if (!firewall_) return "";
    return "# HELP sallyport_firewall_loaded Whether our table is in the kernel.\n# TYPE sallyport_firewall_loaded "
           "gauge\n"
           "sallyport_firewall_loaded " +
           std::to_string(firewall_->loaded() ? 1 : 0) + "\n";
}

}  // namespace sallyport::cli
