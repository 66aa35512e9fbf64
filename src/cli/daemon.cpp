// What goes on while the gateway runs, and how it ends.
#include "cli/daemon.hpp"

#include "cli/service_manager.hpp"
#include "cli/settings.hpp"
#include "cli/shapes.hpp"
#include "io/file_watch.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>

namespace sallyport::cli {

using namespace std::chrono_literals;
using config::Config;
using nlohmann::json;
using telemetry::Level;

namespace {

constexpr Duration names_within = 5s;
constexpr Duration files_looked_at_every = 5s;  // also where no event tells of a change (network file systems)
constexpr Duration replacing_takes = 300ms;     // between a chain's new file and its key's

}  // namespace

void Daemon::event(Level level, std::string message, std::vector<telemetry::Field> fields) {
    logger_->log(level, std::move(message), std::move(fields));
}

std::string Daemon::summary() const { return "serving " + std::to_string(config().services.size()) + " services"; }

io::Task<void> Daemon::wait_for_names() {
    names_.emplace(
        *loop_, net::Names::Options{.resolve =
                                        [this](std::string host, io::Cancellation& cancellation) {
                                            return net::resolve_on(*worker_, *loop_, cancellation, std::move(host));
                                        },
                                    .changed =
                                        [this](std::shared_ptr<const net::NameTable> table) {
                                            for (auto& data : data_loops_)
                                                data->loop().post([&gate = data->gate(), table] { gate.adopt(table); });
                                            if (names_) guard_->apply(guard_policy());
                                        },
                                    .event =
                                        [this](const net::NameEvent& change) {
                                            if (change.error.empty())
                                                event(Level::info, "a target's name resolves", {{"host", change.host}});
                                            else
                                                event(Level::warn, "a target's name does not resolve",
                                                      {{"host", change.host}, {"error", change.error}});
                                        }});
    names_->watch(generation_->hosts);
    co_await names_->first_answers(loop_->in(names_within));
}

void Daemon::look_after_targets() {
    health_.emplace(*loop_, gate::Health::Options{.names = [this] { return names_->table(); },
                                                  .event = [this](const auto& change) { tell_of_target(change); }});
    health_->watch(generation_->control);
}

void Daemon::tell_of_target(const gate::TargetEvent& change) {
    const bool up = change.condition == gate::Condition::up;
    std::vector<telemetry::Field> fields{
        {"service", change.service}, {"target", change.target}, {"state", std::string(name(change.condition))}};
    if (!up) fields.push_back({"reason", std::string(code(change.why))});
    if (!change.detail.empty()) fields.push_back({"detail", change.detail});
    event(up ? Level::info : Level::warn, up ? "a target answers again" : "a target is left out", std::move(fields));
}

// From the first connection to the last.
io::Task<void> Daemon::live() {
    co_await wait_for_names();
    look_after_targets();
    co_await egress_->read_leases();
    for (auto& data : data_loops_) data->start();
    scope_.spawn(follow_signals());
    scope_.spawn(follow_certificates());
    scope_.spawn(follow_firewall());
    scope_.spawn(guard_->keep_time(scope_.cancellation()));
    scope_.spawn(egress_->follow_leases(scope_.cancellation()));
    scope_.spawn(egress_->take_accounting(scope_.cancellation()));
    scope_.spawn(egress_->keep_time(scope_.cancellation()));
    share_lists();
    if (kernel_) scope_.spawn(kernel_->keep());
    if (const auto interval = watchdog_interval()) scope_.spawn(keep_watchdog(*interval / 2));

    state_ = admin::Readiness::State::ready;
    if (!identity_.note.empty()) event(Level::warn, identity_.note);
    for (const auto& bound : listeners_->bound())
        event(Level::info, "listening", {{"address", bound.address}, {"for", bound.owner}});
    for (const auto& bound : udp_listeners_->bound()) {
        event(Level::info, "listening",
              {{"address", bound.claim.address.to_string()}, {"for", bound.claim.owner}, {"transport", "udp"}});
    }
    event(Level::info, "ready",
          {{"config", config_file_.string()},
           {"user", identity_.user},
           {"services", std::to_string(config().services.size())},
           {"threads", std::to_string(data_loops_.size())}});
    notify_ready(summary());
    co_await stop_.wait(io::Deadline::none);
    co_await wind_down();
}

// The control loop's whole life: the gateway's, and then the end of everything that follows it.
io::Task<void> Daemon::whole_life() {
    co_await live();
    co_await scope_.join();
    loop_->stop();
}

io::Task<void> Daemon::follow_signals() {
    auto signals = io::SignalReader::adopt(*loop_, std::move(signals_), scope_.cancellation());
    if (!signals) {
        event(Level::error, signals.error().message);
        begin_stop();
        co_return;
    }
    for (;;) {
        const auto signal = co_await signals->next(io::Deadline::none);
        if (!signal) co_return;
        if (*signal == SIGHUP) {
            scope_.spawn(reload_by_signal());
        } else if (state_ == admin::Readiness::State::draining) {
            event(Level::warn, "stopping at once, as a second signal asks");
            for (auto& data : data_loops_) {
                data->loop().post([&gate = data->gate(), &push = data->push()] {
                    gate.hurry();
                    push.hurry();
                });
                data->with_turn([](turn::TurnLoop& turn) { turn.hurry(); });
            }
        } else {
            begin_stop();
        }
    }
}

void Daemon::begin_stop() {
    if (state_ == admin::Readiness::State::draining) return;
    state_ = admin::Readiness::State::draining;
    notify_stopping();
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(config().node.drain_timeout).count();
    event(Level::info, "draining", {{"at_most_s", std::to_string(seconds)}});
    stop_.raise();
}

io::Task<void> Daemon::wind_down() {
    loops_at_work_ = data_loops_.size();
    for (auto& data : data_loops_) {
        data->finish(config().node.drain_timeout, [this] {
            loop_->post([this] {
                if (--loops_at_work_ == 0) wound_down_.raise();
            });
        });
    }
    co_await wound_down_.wait(io::Deadline::none);
    event(Level::info, "stopped");
    worker_->stop();
    files_->stop();
    co_await names_->close();
    co_await health_->close();
    if (kernel_) co_await kernel_->close();
    scope_.cancel();  // signals, certificates, admin: all that live() is not
    std::error_code gone;
    std::filesystem::remove(admin_socket_, gone);
}

io::Task<void> Daemon::reload_by_signal() {
    const auto reloaded = co_await reload();  // the log has said how it went
    static_cast<void>(reloaded);
}

io::Task<Result<json, admin::Problem>> Daemon::reload() {
    if (reloading_) co_return std::unexpected(admin::Problem{.status = 409, .detail = "a reload is under way"});
    if (state_ == admin::Readiness::State::draining) {
        co_return std::unexpected(admin::Problem{.status = 409,
                                                 .detail = "the gateway is stopping: it opens nothing any more",
                                                 .reason = telemetry::Reason::draining});
    }
    reloading_ = true;
    notify_reloading();
    auto built = co_await worker_->run(*loop_, scope_.cancellation(), [file = config_file_, options = build_options()] {
        return build_generation(file, options);
    });
    Result<json, admin::Problem> taken =
        built ? take_over(std::move(*built))
              : std::unexpected(admin::Problem{.status = 503, .detail = "the gateway is stopping or busy"});
    last_reload_ = {{"time", to_rfc3339(loop_->wall())},
                    {"result", taken ? "done" : "refused: " + taken.error().detail}};
    if (taken)
        event(Level::info, "configuration reloaded", {{"services", std::to_string(config().services.size())}});
    else
        event(Level::error, "configuration not reloaded; the present one stays", {{"error", taken.error().detail}});
    notify_ready(summary());
    reloading_ = false;
    co_return taken;
}

Result<json, admin::Problem> Daemon::take_over(Built built) {
    if (!built.generation) {
        const std::string first = built.errors.empty() ? "" : ", the first: " + built.errors.front().message;
        return std::unexpected(
            admin::Problem{.status = 422,
                           .detail = std::to_string(built.errors.size()) + " errors in the configuration" + first,
                           .more = {{"errors", problems_json(built.errors)}}});
    }
    if (const auto may = may_enter_kernel(built.generation->routing->config()); !may)
        return std::unexpected(may.error());
    // Ports first: they are what can still fail. Whoever connects to a new one must meet the new configuration.
    const auto claims = claims_of(built.generation->routing->config());
    auto udp = udp_listeners_->prepare(udp_claims_of(built.generation->routing->config()));
    const auto change = [&] {
        adopt(built.generation);
        udp_listeners_->apply(std::move(*udp));
    };
    const auto applied = udp ? listeners_->apply(claims, change) : Result<void>(fail(udp.error()));
    if (!applied) {
        const bool helpless =
            std::ranges::any_of(claims, [](const auto& claim) { return claim.address.address.port < 1024; }) &&
            !may_bind_low_ports();
        return std::unexpected(
            admin::Problem{.status = 422, .detail = (helpless ? "restart needed: " : "") + applied.error().message});
    }
    return json{{"services", config().services.size()}, {"warnings", problems_json(built.warnings)}};
}

void Daemon::adopt(std::shared_ptr<const Generation> generation) {
    note_restart_needs(generation->routing->config());
    generation_ = std::move(generation);
    for (std::size_t i = 0; i < data_loops_.size(); ++i) {
        data_loops_[i]->loop().post(
            [&gate = data_loops_[i]->gate(), snapshot = generation_->loops[i]] { gate.adopt(snapshot); });
        data_loops_[i]->with_turn([settings = generation_->turn, tls = generation_->turn_tls[i],
                                   dtls = generation_->turn_dtls[i]](turn::TurnLoop& turn) {
            turn.adopt(settings);
            turn.adopt(tls);
            turn.adopt(dtls);
        });
    }
    adopt_zones();
    site_->metrics_from = {};
    for (const auto& network : config().admin.metrics_from) site_->metrics_from.add(network.value);
    if (auto logged = logger_->apply(log_settings(config(), node_)); !logged)
        event(Level::error, logged.error().message);
    logger_->reopen();
    names_->watch(generation_->hosts);
    health_->watch(generation_->control);
    guard_->apply(guard_policy());
    egress_->apply(egress_settings());
    for (auto& data : data_loops_) data->adopt(generation_->push);
    take_to_kernel();
}

void Daemon::note_restart_needs(const Config& wanted) {
    const Config& present = config();
    const std::pair<const char*, bool> keys[] = {
        {"node.name", wanted.node.name != present.node.name},
        {"node.threads", wanted.node.threads != present.node.threads},
        {"node.user", wanted.node.user != present.node.user},
        {"node.state_dir", wanted.node.state_dir != present.node.state_dir},
        {"shared.redis", wanted.shared != present.shared},
        {"admin.listen", wanted.admin.listen != present.admin.listen},
        {"admin.socket", wanted.admin.socket != present.admin.socket},
        {"firewall", (wanted.firewall.place.line == 0) != (present.firewall.place.line == 0)},
        {"firewall.restore", wanted.firewall.restore != present.firewall.restore},
        {"firewall.state_dir", wanted.firewall.state_dir != present.firewall.state_dir},
    };
    for (const auto& [key, changed] : keys) {
        if (changed) event(Level::warn, "a changed key takes effect after a restart only", {{"key", key}});
    }
}

// A certificate that was replaced on disk takes effect by itself, once it has been found good.
io::Task<void> Daemon::follow_certificates() {
    while (!scope_.cancellation().requested()) {
        const auto files = generation_->watched_files;
        auto watch = io::FileWatch::create(files);
        io::Watched* watched = watch ? loop_->watch(watch->fd(), scope_.cancellation(), false) : nullptr;
        if (watched == nullptr) {
            event(Level::warn, "certificates are not watched: reload after replacing one",
                  {{"error", watch ? "epoll refuses" : watch.error().message}});
            co_return;
        }
        while (files == generation_->watched_files && !scope_.cancellation().requested()) {
            co_await io::WaitAny<1>(loop_->in(files_looked_at_every), {{{watched, io::Interest::read}}});
            watched->readable = false;
            if (watch->changed().empty()) continue;
            co_await io::Sleep(*loop_, scope_.cancellation(), loop_->in(replacing_takes));
            watch->changed();
            co_await rebuild_certificates();
        }
        loop_->unwatch(watched);
    }
}

io::Task<void> Daemon::rebuild_certificates() {
    // From the configuration in effect: the file may hold edits that nobody has asked to load.
    const auto source = generation_;
    auto built = co_await worker_->run(*loop_, scope_.cancellation(), [source, options = build_options()] {
        return build_generation(source->source, options);
    });
    if (!built || generation_ != source) co_return;  // stopping; or a reload has read them meanwhile
    if (!built->generation) {
        const std::string error = built->errors.empty() ? "" : built->errors.front().message;
        event(Level::error, "replaced certificate files are not good; the present ones stay", {{"error", error}});
        co_return;
    }
    adopt(std::move(built->generation));
    event(Level::info, "certificates reloaded");
}

io::Task<void> Daemon::keep_watchdog(Duration interval) {
    std::vector<std::uint64_t> last(data_loops_.size(), 0);
    for (;;) {
        for (auto& data : data_loops_)
            data->loop().post([&beats = data->heartbeats] { beats.fetch_add(1, std::memory_order_relaxed); });
        const io::Wait waited = co_await io::Sleep(*loop_, scope_.cancellation(), loop_->in(interval));
        if (waited != io::Wait::timeout) co_return;
        bool all_turn = true;
        for (std::size_t i = 0; i < data_loops_.size(); ++i) {
            const auto beats = data_loops_[i]->heartbeats.load(std::memory_order_relaxed);
            all_turn = all_turn && beats != last[i];
            last[i] = beats;
        }
        if (all_turn) notify_alive();
    }
}

}  // namespace sallyport::cli
