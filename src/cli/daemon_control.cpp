// The running gateway as its control plane sees it: probes, metrics, status, explanations.
#include "cli/daemon.hpp"

#include "cli/shapes.hpp"
#include "telemetry/metrics.hpp"

#include <unistd.h>

#include <chrono>

namespace sallyport::cli {

using nlohmann::json;

namespace {

constexpr std::string_view name_of(admin::Readiness::State state) {
    constexpr std::array<std::string_view, 3> names{"starting", "ready", "draining"};
    return names[static_cast<std::size_t>(state)];
}

}  // namespace

admin::Readiness Daemon::readiness() const {
    constexpr std::array<std::string_view, 3> details{"waiting for the targets' names", "", "takes nothing new"};
    return {.state = state_, .detail = std::string(details[static_cast<std::size_t>(state_)])};
}

telemetry::Totals Daemon::totals() const {
    std::vector<const telemetry::LoopCounters*> loops;
    for (const auto& data : data_loops_) loops.push_back(&data->counters());
    telemetry::Totals sums = telemetry::collect(loops);
    for (const auto& data : data_loops_) sums.turns += data->loop().turns();
    return sums;
}

std::string Daemon::metrics() {
    return telemetry::metrics_text(totals(), logger_->losses(), telemetry::process_facts(), loop_->now() - started_);
}

json Daemon::status() {
    json listening = json::array();
    for (const auto& bound : listeners_->bound())
        listening.push_back({{"address", bound.address}, {"owner", bound.owner}});
    for (const auto& listen : config().admin.listen)
        listening.push_back({{"address", listen.value.to_string()}, {"owner", "admin.listen"}});
    json certificates = json::array();
    for (const auto& one : generation_->credentials) {
        certificates.push_back(
            {{"name", one.name}, {"names", one.dns_names}, {"not_after", to_rfc3339(one.not_after)}});
    }
    const telemetry::Totals sums = totals();
    std::uint64_t open = 0;
    for (const auto& protocol : sums.protocols) open += protocol.accepted - protocol.closed;
    return {{"node", node_},
            {"state", name_of(state_)},
            {"version", SALLYPORT_VERSION},
            {"uptime_s", std::chrono::duration_cast<std::chrono::seconds>(loop_->now() - started_).count()},
            {"pid", getpid()},
            {"user", identity_.user},
            {"config", config_file_.string()},
            {"threads", data_loops_.size()},
            {"services", config().services.size()},
            {"connections", open},
            {"http_requests", sums.http_requests},
            {"listeners", std::move(listening)},
            {"certificates", std::move(certificates)},
            {"unresolved", names_ ? names_->unresolved() : std::vector<std::string>{}},
            {"last_reload", last_reload_}};
}

Result<json, admin::Problem> Daemon::explain(const admin::ExplainQuery& query) {
    const gate::Question question{query.subject, query.client};
    const auto explanation = gate::explain(*generation_->routing, question);
    if (!explanation) return std::unexpected(admin::Problem{.status = 400, .detail = explanation.error().message});
    return to_json(*explanation, question, "live");
}

}  // namespace sallyport::cli
