#include "gate/targets/health.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

namespace sallyport::gate {

using telemetry::Reason;

Health::Health(io::Loop& loop, Options options) : loop_(loop), options_(std::move(options)), scope_(loop) {
    scope_.spawn(look_after());
}

void Health::watch(SnapshotHandle snapshot) {
    std::map<const TargetState*, Handle> known;
    for (const Handle& watch : watches_) known.emplace(watch->state.get(), watch);
    watches_.clear();
    for (const Service& service : snapshot->routing->services()) {
        if (service.settings->targets.front().value.kind == config::Target::Kind::builtin) continue;
        for (std::size_t i = 0; i < service.targets.size(); ++i) {
            auto watch = std::make_shared<Watch>();
            if (const auto before = known.find(service.targets[i].get()); before != known.end())
                *watch = *before->second;
            watch->state = service.targets[i];
            watch->service = &service;
            watch->target = i;
            watch->trying = false;
            watches_.push_back(std::move(watch));
        }
    }
    for (const auto& [state, watch] : known) watch->current = false;
    snapshot_ = std::move(snapshot);
}

io::Task<void> Health::close() {
    scope_.cancel();
    co_await scope_.join();
}

io::Task<void> Health::look_after() {
    while (!scope_.cancellation().requested()) {
        co_await io::Sleep(loop_, scope_.cancellation(), loop_.in(looked_at_every));
        if (scope_.cancellation().requested()) break;
        look_at_all();
    }
}

// Where silent targets hold every try there may be, those that wait come before those that had theirs.
void Health::look_at_all() {
    std::optional<std::size_t> waits;
    for (std::size_t i = 0; i < watches_.size(); ++i) {
        const std::size_t at = (first_ + i) % watches_.size();
        if (!look_at(watches_[at]) && !waits) waits = at;
    }
    if (waits) first_ = *waits;
}

// False: it is due, and there is no room for its try.
bool Health::look_at(const Handle& watch) {
    tell_change(*watch);
    const bool checked = watch->service->settings->health.kind != config::HealthCheck::Kind::none;
    const bool wanted = checked || watch->state->condition() != Condition::up;
    if (!wanted || watch->trying || watch->state->wish() == Wish::maintenance) return true;
    if (loop_.now() < watch->due) return true;
    if (tries_ >= most_tries_at_once) return false;
    watch->trying = true;
    ++tries_;
    scope_.spawn(try_target(watch, snapshot_));
    return true;
}

// Traffic marks targets as well: what it found is told here too, and how long they are left alone is decided.
void Health::tell_change(Watch& watch) {
    const Condition condition = watch.state->condition();
    if (condition == watch.told) return;
    const SteadyTime now = loop_.now();
    if (watch.told == Condition::up) {
        // One that comes and goes is left alone for longer each time.
        watch.relapses = now - watch.up_since < steady_after ? watch.relapses + 1 : 0;
        const Duration hold = Duration{retried_after} * (1LL << std::min(watch.relapses, 6U));
        watch.due = now + std::min<Duration>(hold, longest_hold);
        watch.good = watch.bad = 0;
    }
    if (condition == Condition::up) watch.up_since = now;
    const bool left_out_before = watch.told != Condition::up;
    watch.told = condition;
    if (left_out_before && condition != Condition::up) return;  // traffic saw it first, now the checks do: no news
    options_.event({.service = watch.service->name,
                    .target = watch.service->settings->targets[watch.target].value.text,
                    .condition = condition,
                    .why = watch.state->why(),
                    .detail = condition == Condition::up ? std::string() : watch.detail});
}

io::Task<void> Health::try_target(Handle watch, SnapshotHandle snapshot) {
    const auto names = options_.names();
    const SteadyTime began = loop_.now();
    const Reason result = co_await try_once(loop_, scope_.cancellation(), *snapshot, *watch->service, watch->target,
                                            names.get(), watch->detail);
    --tries_;
    watch->trying = false;
    if (scope_.cancellation().requested() || !watch->current) co_return;
    if (result == Reason::ok) watch->state->connected(loop_.now() - began);
    take_result(*watch, result);
}

void Health::take_result(Watch& watch, Reason result) {
    const config::Service& settings = *watch.service->settings;
    const bool checked = settings.health.kind != config::HealthCheck::Kind::none;
    const Condition condition = watch.state->condition();
    watch.good = result == Reason::ok ? watch.good + 1 : 0;
    watch.bad = result == Reason::ok ? 0 : watch.bad + 1;
    // A failing one without a check is asked often at first; the others in their own time.
    const unsigned patience = std::min(watch.bad, 3U);
    watch.due = loop_.now() +
                (checked ? settings.health_interval
                         : std::min<Duration>(Duration{retried_after} * (1LL << patience), retried_at_most_after));
    const WallTime now = loop_.wall();
    const unsigned enough = condition == Condition::down ? answers_to_come_up : 1;
    if (condition != Condition::up && watch.good >= enough) watch.state->set(Condition::up, Reason::ok, now);
    if (checked && condition != Condition::down && watch.bad >= failures_to_go_down)
        watch.state->set(Condition::down, result, now);
    tell_change(watch);
}

}  // namespace sallyport::gate
