// The running gateway as its control plane sees it: probes, metrics, status, explanations.
#include "cli/daemon.hpp"

#include "certs/judge.hpp"
#include "cli/dns_settings.hpp"
#include "cli/dns_view.hpp"
#include "cli/push_shapes.hpp"
#include "cli/shapes.hpp"
#include "cli/subjects.hpp"
#include "cli/turn_explain.hpp"
#include "cli/turn_settings.hpp"
#include "cli/turn_shapes.hpp"
#include "config/problem.hpp"
#include "gate/overview.hpp"
#include "telemetry/metrics.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>

namespace sallyport::cli {

using nlohmann::json;

namespace {

constexpr std::string_view name_of(admin::Readiness::State state) {
    constexpr std::array<std::string_view, 3> names{"starting", "ready", "draining"};
    return names[static_cast<std::size_t>(state)];
}

constexpr Duration loops_answer_within = std::chrono::seconds(5);

// Which clients behind the NAT of this machine can be told where the outside reaches them; null: there is no STUN.
json stun_status(const config::Config& config) {
    if (config.stun.listen.empty() && !has_turn_listener(config)) return nullptr;
    json networks = json::array();
    for (const auto& network : config.stun.kernel_nat) networks.push_back(network.value.to_string());
    return {{"kernel_nat", std::move(networks)}};
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
    const telemetry::GuardFacts guard{.bans = guard_->table().bans(),
                                      .allows = guard_->table().allows(),
                                      .suspects = guard_->table().window().clients(),
                                      .added = guard_->added(),
                                      .signs = guard_->signs(),
                                      .dropped = guard_->dropped(),
                                      .shares = share_.has_value(),
                                      .in_step = share_ && share_->in_step(),
                                      .enforces = kernel_ != nullptr,
                                      .in_kernel = kernel_ && kernel_->in_step()};
    return telemetry::metrics_text(totals(), logger_->losses(), guard, telemetry::process_facts(),
                                   loop_->now() - started_) +
           (config().dns.listen.empty() ? std::string() : dns_metrics(dns_facts())) + firewall_metrics() +
           turn_metrics();
}

std::string Daemon::turn_metrics() const {
    std::vector<const turn::Server*> servers;
    for (const auto& data : data_loops_) servers.push_back(&data->turn().server());
    return cli::turn_metrics(servers);
}

dns::ForwarderFacts Daemon::dns_facts() const {
    dns::ForwarderFacts sums;
    for (const auto& data : data_loops_) sums.add(data->dns_facts());
    return sums;
}

json Daemon::status() {
    json listening = json::array();
    for (const auto& bound : listeners_->bound())
        listening.push_back({{"address", bound.address}, {"owner", bound.owner}});
    for (const auto& bound : udp_listeners_->bound()) {
        listening.push_back(
            {{"address", bound.claim.address.to_string()}, {"owner", bound.claim.owner}, {"transport", "udp"}});
    }
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
            {"guard",
             {{"bans", guard_->table().bans()},
              {"allows", guard_->table().allows()},
              {"suspects", guard_->table().window().clients()},
              {"shared", share_ ? json(share_->in_step()) : json(nullptr)},
              {"kernel", kernel_ ? json(kernel_->in_step()) : json(nullptr)}}},
            {"firewall", firewall_status()},
            {"dns", config().dns.listen.empty() ? json(nullptr) : dns_json(dns_facts())},
            {"stun", stun_status(config())},
            {"listeners", std::move(listening)},
            {"certificates", std::move(certificates)},
            {"unresolved", names_ ? names_->unresolved() : std::vector<std::string>{}},
            {"last_reload", last_reload_}};
}

io::Task<Result<json, admin::Problem>> Daemon::explain(admin::ExplainQuery query) {
    gate::Question question{.subject = query.subject, .client = query.client, .tls = query.tls};
    if (!query.certificate.empty()) {
        const auto judged = certs::judge_client(query.certificate, generation_->trusted_pems, loop_->wall());
        if (!judged)
            co_return std::unexpected(
                admin::Problem{.status = 400, .detail = "certificate: " + judged.error().message});
        question.certificate = judged->verdict;
        question.certificate_names = judged->names;
    }
    bool passed_on = false;
    auto explanation = dns_subject.holds(query.subject) ? explain_name(query, passed_on)
                       : turn_subject.holds(query.subject)
                           ? explain_turn(config(), *generation_->turn, query.subject, loop_->wall())
                           : explain_by_gate(*generation_->routing, question);
    if (!explanation) co_return std::unexpected(admin::Problem{.status = 400, .detail = explanation.error().message});
    if (query.ask && passed_on) co_await ask_upstreams(query, *explanation);
    explain_ban(question.client, *explanation);
    co_return to_json(*explanation, question, "live");
}

Result<gate::Explanation> Daemon::explain_name(const admin::ExplainQuery& query, bool& passed_on) const {
    auto explained = explain_dns(config().dns, *generation_->zones.front().zones, generation_->push.get(),
                                 query.subject, query.client);
    if (!explained) return std::unexpected(explained.error());
    passed_on = explained->passed_on;
    return std::move(explained->explanation);
}

// By the first data loop: each has a cache of its own, and all ask the same upstreams.
io::Task<void> Daemon::ask_upstreams(const admin::ExplainQuery& query, gate::Explanation& explanation) {
    struct Asking {
        explicit Asking(io::Loop& loop) : told(loop) {}
        dns::LookedUp looked_up;
        io::Event told;
    };
    auto asking = std::make_shared<Asking>(*loop_);
    data_loops_.front()->with_dns([asking, query, control = loop_.get()](dns::Server& server) {
        look_up(server, query.subject, query.client, [asking, control](dns::LookedUp looked_up) {
            control->post([asking, looked_up = std::move(looked_up)]() mutable {
                asking->looked_up = std::move(looked_up);
                asking->told.raise();
            });
        });
    });
    co_await asking->told.wait(loop_->in(loops_answer_within));
    take(asking->looked_up, explanation);
}

// Puts a question to every data loop, on its own thread, and waits for the answers. One that has ended gives none.
template <class Ask>
auto Daemon::ask_loops(Ask ask) -> io::Task<std::vector<std::invoke_result_t<Ask&, DataLoop&>>> {
    using Answer = std::invoke_result_t<Ask&, DataLoop&>;
    struct Asking {
        explicit Asking(io::Loop& loop) : all_answered(loop) {}
        std::vector<Answer> answers;
        io::Event all_answered;
    };
    auto asking = std::make_shared<Asking>(*loop_);
    for (auto& data : data_loops_) {
        data->loop().post([&data = *data, asking, ask, control = loop_.get(), all = data_loops_.size()]() mutable {
            control->post([asking, answer = ask(data), all]() mutable {
                asking->answers.push_back(std::move(answer));
                if (asking->answers.size() == all) asking->all_answered.raise();
            });
        });
    }
    co_await asking->all_answered.wait(loop_->in(loops_answer_within));
    co_return std::move(asking->answers);
}

io::Task<json> Daemon::connections(admin::ConnectionsQuery query) {
    const auto answers = co_await ask_loops(
        [query](DataLoop& data) { return gate::look_at_sessions(data.gate(), query.service, query.limit); });
    json rows = json::array();
    for (const auto& of_loop : answers) {
        for (const auto& view : of_loop) {
            if (rows.size() < query.limit) rows.push_back(to_json(view));
        }
    }
    co_return json{{"connections", std::move(rows)}, {"total", shared_.clients.total()}};
}

io::Task<Result<json, admin::Problem>> Daemon::kill(admin::KillQuery query) {
    const auto answers = co_await ask_loops([query](DataLoop& data) {
        return query.id.empty() ? gate::end_sessions_of(data.gate(), query.service)
                                : gate::end_session(data.gate(), query.id);
    });
    std::size_t killed = 0;
    for (const std::size_t of_loop : answers) killed += of_loop;
    if (killed == 0 && !query.id.empty())
        co_return std::unexpected(admin::Problem{.status = 404, .detail = "no connection has the id " + query.id});
    event(telemetry::Level::info, "connections ended by an administrator",
          {{query.id.empty() ? "service" : "id", query.id.empty() ? query.service : query.id},
           {"count", std::to_string(killed)}});
    co_return json{{"killed", killed}};
}

io::Task<json> Daemon::push_devices() {
    const auto answers = co_await ask_loops([](DataLoop& data) { return data.push().devices().all(); });
    co_return json{{"devices", devices_json(answers)}};
}

io::Task<json> Daemon::turn_sessions(std::size_t limit) {
    struct OfLoop {
        std::vector<turn::SessionView> shown;
        std::size_t total = 0;
    };
    const auto answers = co_await ask_loops([limit](DataLoop& data) {
        turn::Server& server = data.turn().server();
        return OfLoop{turn::look_at_sessions(server, data.turn().now(), limit), server.allocations()};
    });
    json rows = json::array();
    std::size_t total = 0;
    for (const OfLoop& of_loop : answers) {
        total += of_loop.total;
        for (const auto& view : of_loop.shown) {
            if (rows.size() < limit) rows.push_back(to_json(view));
        }
    }
    co_return json{{"sessions", std::move(rows)}, {"total", total}};
}

json Daemon::services() {
    json rows = json::array();
    for (const auto& view : gate::look_at_targets(*generation_->routing)) rows.push_back(to_json(view));
    return {{"targets", std::move(rows)}};
}

Result<json, admin::Problem> Daemon::set_state(const admin::StateQuery& query) {
    const auto problem = [](unsigned status, std::string detail) {
        return std::unexpected(admin::Problem{.status = status, .detail = std::move(detail)});
    };
    const auto* wish = std::ranges::find(gate::wish_names, query.state);
    if (wish == gate::wish_names.end())
        return problem(400, "state is \"" + query.state + "\"; it can be up, drain or maintenance");
    std::optional<config::Protocol> protocol;
    if (!query.protocol.empty()) {
        const auto& words = config::words_of<config::Protocol>;
        const auto* word = std::ranges::find(words, query.protocol);
        if (word == words.end()) return problem(400, "there is no protocol \"" + query.protocol + "\"");
        protocol = static_cast<config::Protocol>(word - words.begin());
    }
    const auto chosen = static_cast<gate::Wish>(wish - gate::wish_names.begin());
    const std::size_t changed = gate::set_wish(*generation_->routing, query.service, protocol, query.target, chosen);
    if (changed == 0) {
        const auto near = generation_->routing->nearest_name(protocol.value_or(config::Protocol::http), query.service);
        return problem(
            404, "no service " + config::quote(query.service) +
                     (query.target.empty() ? "" : " with a target " + config::quote(query.target)) +
                     (near.empty() || near == query.service ? "" : "; did you mean " + config::quote(near) + "?"));
    }
    event(telemetry::Level::info, "targets set by an administrator",
          {{"service", query.service}, {"state", query.state}, {"count", std::to_string(changed)}});
    return json{{"changed", changed}};
}

}  // namespace sallyport::cli
