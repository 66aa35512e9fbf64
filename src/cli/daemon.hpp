// The running gateway: the graph of its objects, and what happens to it from start to stop.
#pragma once

#include "admin/http_server.hpp"
#include "admin/routes.hpp"
#include "cli/data_loop.hpp"
#include "cli/generation.hpp"
#include "cli/privileges.hpp"
#include "cli/verbs.hpp"
#include "config/redis_url.hpp"
#include "egress/registry.hpp"
#include "firewall/mender.hpp"
#include "firewall/watch.hpp"
#include "gate/explain.hpp"
#include "gate/targets/health.hpp"
#include "guard/guard.hpp"
#include "guard/kernel_bans.hpp"
#include "io/event.hpp"
#include "io/signals.hpp"
#include "io/worker.hpp"
#include "listeners/listeners.hpp"
#include "listeners/udp_listeners.hpp"
#include "net/names.hpp"
#include "share/share.hpp"
#include "store/database.hpp"
#include "store/egress_lines.hpp"
#include "store/guard_entries.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace sallyport::cli {

/// Runs the gateway on this configuration in the foreground until it is told to stop.
Exit run_daemon(const std::filesystem::path& config_file);

class Daemon final : public admin::Control {
public:
    /// @param descriptors  file descriptors that the process may have.
    Daemon(std::filesystem::path config_file, std::unique_ptr<io::Loop> loop, std::size_t descriptors);

    Exit run();

    // admin::Control
    admin::Readiness readiness() const override;
    std::string metrics() override;
    nlohmann::json status() override;
    io::Task<Result<nlohmann::json, admin::Problem>> reload() override;
    void drain() override { begin_stop(); }
    io::Task<Result<nlohmann::json, admin::Problem>> explain(admin::ExplainQuery query) override;
    io::Task<nlohmann::json> connections(admin::ConnectionsQuery query) override;
    io::Task<Result<nlohmann::json, admin::Problem>> kill(admin::KillQuery query) override;
    nlohmann::json services() override;
    Result<nlohmann::json, admin::Problem> set_state(const admin::StateQuery& query) override;
    nlohmann::json bans() override;
    nlohmann::json suspects() override;
    Result<nlohmann::json, admin::Problem> set_ban(const admin::BanQuery& query) override;
    Result<nlohmann::json, admin::Problem> remove_ban(const admin::BanQuery& query) override;
    nlohmann::json egress() override;
    Result<nlohmann::json, admin::Problem> whois(const IpAddress& address) override;
    Result<nlohmann::json, admin::Problem> set_pin(const admin::PinQuery& query) override;
    Result<nlohmann::json, admin::Problem> remove_pin(const admin::PinQuery& query) override;
    io::Task<nlohmann::json> push_devices() override;
    io::Task<nlohmann::json> turn_sessions(std::size_t limit) override;

private:
    // Start-up, in this order.
    bool load();
    bool bind_ports();
    listeners::UdpListeners::Hooks udp_hooks();
    void look_at_firewall();
    void settle_firewall(const config::Firewall& firewall);
    void start_mender(const config::Firewall& firewall);
    bool become_user();
    bool build();
    io::Task<void> whole_life();
    io::Task<void> live();
    io::Task<void> wait_for_names();
    void look_after_targets();
    void tell_of_target(const gate::TargetEvent& change);
    void post_guard();
    void remember_bans();
    void share_lists();
    void tell_source(const store::EgressLine& line);
    io::Task<Result<io::Stream>> connect_redis(config::RedisUrl url, io::Cancellation& cancellation);
    void tell_of_ban(const guard::Change& change);
    std::vector<IpAddress> announced_addresses() const;
    guard::Policy guard_policy() const;
    void post_egress();
    egress::Settings egress_settings();
    Result<gate::Explanation> explain_name(const admin::ExplainQuery& query, bool& passed_on) const;
    io::Task<void> ask_upstreams(const admin::ExplainQuery& query, gate::Explanation& explanation);
    void explain_ban(const IpAddress& client, gate::Explanation& explanation) const;
    bool open_admin();

    // The bans in the kernel.
    bool enter_kernel();
    void leave_kernel();
    void take_to_kernel();
    io::Task<void> give_up_kernel(std::unique_ptr<guard::KernelBans> kernel);
    Result<void, admin::Problem> may_enter_kernel(const config::Config& wanted) const;

    // What goes on while it runs.
    io::Task<void> follow_signals();
    io::Task<void> follow_certificates();
    io::Task<void> follow_firewall();
    void tell_of_firewall(bool loaded);
    io::Task<void> hear_mender();
    nlohmann::json firewall_status() const;
    std::string firewall_metrics() const;
    std::string turn_metrics() const;
    dns::ForwarderFacts dns_facts() const;  // of all data loops
    io::Task<void> keep_watchdog(Duration interval);
    io::Task<void> reload_by_signal();
    io::Task<void> wind_down();

    template <class Ask>
    auto ask_loops(Ask ask) -> io::Task<std::vector<std::invoke_result_t<Ask&, DataLoop&>>>;
    Result<nlohmann::json, admin::Problem> take_over(Built built);
    void adopt(std::shared_ptr<const Generation> generation);
    void adopt_zones();
    void note_restart_needs(const config::Config& wanted);
    io::Task<void> rebuild_certificates();
    BuildOptions build_options();
    const config::Config& config() const { return generation_->routing->config(); }
    telemetry::Totals totals() const;
    std::string summary() const;
    void begin_stop();
    void event(telemetry::Level level, std::string message, std::vector<telemetry::Field> fields = {});

    const std::filesystem::path config_file_;
    const std::size_t descriptors_;
    const SteadyTime started_;
    const std::shared_ptr<const io::TicketKeys> ticket_keys_;

    std::unique_ptr<io::Loop> loop_;  // the control loop, on the main thread
    io::Fd signals_;
    std::optional<config::Loaded> loaded_;  // until the first generation is built from it
    std::string node_;
    Identity identity_;
    gate::GateShared shared_;
    gate::StateBook states_;
    turn::Shared turn_shared_;
    std::vector<std::unique_ptr<DataLoop>> data_loops_;
    std::optional<listeners::Listeners> listeners_;
    std::optional<listeners::UdpListeners> udp_listeners_;
    const std::uint64_t dns_seed_;
    std::optional<io::Worker> worker_;
    std::optional<io::Worker> files_;  // for what data loops want of the disk: never behind a slow name server
    std::unique_ptr<telemetry::Logger> logger_;
    std::shared_ptr<const Generation> generation_;
    std::optional<net::Names> names_;
    std::optional<gate::Health> health_;
    std::optional<store::Database> database_;
    std::optional<store::GuardEntries> guard_entries_;
    std::optional<store::EgressLines> egress_lines_;
    std::optional<egress::Registry> egress_;
    std::optional<share::Share> share_;
    std::unique_ptr<guard::KernelBans> kernel_;  // null: bans hold at accept alone
    std::optional<guard::Guard> guard_;
    std::optional<admin::Site> site_;
    std::filesystem::path admin_socket_;  // that is open, whatever a reload has put in its place
    std::optional<firewall::Watch> firewall_;
    std::optional<firewall::Mender> firewall_mender_;
    std::vector<std::pair<telemetry::Level, std::string>> firewall_notes_;  // until there is a log
    io::Scope scope_;
    io::Event stop_;
    io::Event wound_down_;
    std::size_t loops_at_work_ = 0;  // of the data loops, those that have not finished
    admin::Readiness::State state_ = admin::Readiness::State::starting;
    bool reloading_ = false;
    nlohmann::json last_reload_;
};

}  // namespace sallyport::cli
