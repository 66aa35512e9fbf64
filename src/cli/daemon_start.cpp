// How the gateway comes to life. Reading it top to bottom shows what the program is made of and in which order: ports
// are bound first, as root where that takes root; then the privileges go; and only then files are read, so that a
// reload can do what the start did.
#include "cli/daemon.hpp"

#include "cli/settings.hpp"
#include "crypto/hash.hpp"
#include "io/sockets.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <span>

namespace sallyport::cli {

namespace {

using config::Config;

constexpr std::size_t reserved_descriptors = 128;  // admin, log, epoll, certificates: for when clients hold all others
constexpr std::size_t worker_queue = 64;  // jobs

std::size_t raise_descriptor_limit() {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}

std::string host_name() {
    std::array<char, 256> name{};
    gethostname(name.data(), name.size() - 1);
    return name.data();
}

void print(const std::vector<config::Problem>& problems, std::string_view severity) {
    for (const auto& problem : problems) std::fputs(to_text(problem, severity).c_str(), stderr);
}

std::uint64_t random_number() {
    std::uint64_t out = 0;
    crypto::fill_random(std::as_writable_bytes(std::span(&out, 1)));
    return out;
}

bool complain(const std::string& message) {
    std::fprintf(stderr, "sallyport: %s\n", message.c_str());
    return false;
}

}  // namespace

Exit run_daemon(const std::filesystem::path& config_file) {
    const std::size_t descriptors = raise_descriptor_limit();
    auto loop = io::Loop::create();
    if (!loop) return complain(loop.error().message), Exit::failed;
    return Daemon(config_file, std::move(*loop), descriptors).run();
}

Daemon::Daemon(std::filesystem::path config_file, std::unique_ptr<io::Loop> loop, std::size_t descriptors)
    : config_file_(std::move(config_file)),
      descriptors_(descriptors),
      started_(std::chrono::steady_clock::now()),
      ticket_keys_(io::TicketKeys::random()),
      loop_(std::move(loop)),
      dns_seed_(random_number()),
      scope_(*loop_),
      stop_(*loop_),
      wound_down_(*loop_) {}

Exit Daemon::run() {
    // Before the first thread: every later one inherits the mask.
    constexpr std::array wanted{SIGTERM, SIGINT, SIGHUP};
    auto signals = io::block_signals(wanted);
    if (!signals) return complain(signals.error().message), Exit::failed;
    signals_ = std::move(*signals);
    std::signal(SIGPIPE, SIG_IGN);

    if (!load()) return Exit::invalid;
    if (!bind_ports()) return Exit::failed;
    look_at_firewall();
    if (!become_user()) return Exit::failed;
    if (!build()) return Exit::invalid;
    if (!enter_kernel()) return Exit::failed;
    if (!open_admin()) return leave_kernel(), Exit::failed;
    io::Scope life(*loop_);
    life.spawn(whole_life());
    loop_->run();
    for (auto& data : data_loops_) data->join();
    logger_->stop();
    return Exit::done;
}

bool Daemon::load() {
    const auto presets = preset_names();
    loaded_ = config::load(config_file_, presets);
    print(loaded_->warnings, "warning");
    print(loaded_->errors, "error");
    if (!loaded_->config) return complain("the configuration has errors; nothing was started");
    node_ = loaded_->config->node.name.empty() ? host_name() : loaded_->config->node.name;
    return true;
}

bool Daemon::bind_ports() {
    const Config& config = *loaded_->config;
    const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
    const std::size_t count = config.node.threads == 0 ? cores : config.node.threads;
    if (descriptors_ < reserved_descriptors + 4 * count) return complain("too few file descriptors: raise ulimit -n");
    const std::size_t capacity = (descriptors_ - reserved_descriptors) / 2 / count;  // a client's and a target's each
    shared_.capacity = capacity * count;
    std::vector<listeners::LoopPort> ports;
    for (std::size_t i = 0; i < count; ++i) {
        auto loop = io::Loop::create();
        if (!loop) return complain(loop.error().message);
        data_loops_.push_back(std::make_unique<DataLoop>(std::move(*loop), i, capacity));
        ports.push_back({data_loops_.back()->loop(), data_loops_.back()->listeners()});
    }
    listeners_.emplace(std::move(ports));
    auto bound = listeners_->apply(claims_of(config));
    if (!bound) return complain(bound.error().message);
    udp_listeners_.emplace(count, udp_hooks());
    auto udp = udp_listeners_->prepare(udp_claims_of(config));
    if (!udp) return complain(udp.error().message);
    udp_listeners_->apply(std::move(*udp));
    return true;
}

bool Daemon::become_user() {
    const Config& config = *loaded_->config;
    const std::string& user = config.node.user.value;
    auto prepared = prepare_directories({config.node.state_dir.value, config.admin.socket.value.parent_path()}, user);
    if (!prepared) return complain(prepared.error().message);
    const bool rules_kernel = config.guard.enforce.value == config::Enforce::nftables;
    if (rules_kernel && !may_rule_kernel()) return complain(std::string(lacks_net_admin));
    const bool asks_kernel = !config.stun.kernel_nat.empty();
    if (asks_kernel && !may_rule_kernel()) return complain(std::string(may_not_ask_kernel));
    auto identity = drop_privileges(user, rules_kernel  ? NetAdmin::kept_for_programs
                                          : asks_kernel ? NetAdmin::kept
                                                        : NetAdmin::dropped);
    if (!identity) return complain(identity.error().message);
    identity_ = std::move(*identity);
    return true;
}

bool Daemon::build() {
    auto logger = telemetry::Logger::open(log_settings(*loaded_->config, node_));
    if (!logger) return complain(logger.error().message);
    logger_ = std::move(*logger);
    Built built = build_generation(*loaded_, build_options());
    print(built.errors, "error");
    if (!built.generation) return false;
    generation_ = std::move(built.generation);
    loaded_.reset();
    worker_.emplace(worker_queue);
    files_.emplace(worker_queue);
    shared_.node = node_;
    shared_.files = &*files_;
    shared_.wake_guard = [this] { loop_->post([this] { guard_->collect(); }); };
    for (std::size_t i = 0; i < data_loops_.size(); ++i) {
        data_loops_[i]->open_gate(*logger_, shared_, generation_->loops[i]);
        data_loops_[i]->open_turn(turn_shared_, generation_->turn,
                                  {generation_->turn_tls[i], generation_->turn_dtls[i]});
    }
    post_guard();
    post_egress();
    for (std::size_t i = 0; i < data_loops_.size(); ++i) data_loops_[i]->open_dns(dns_seed_, generation_->zones[i]);
    return true;
}

BuildOptions Daemon::build_options() {
    // A data loop lets a snapshot go; freeing it is the control loop's work.
    io::Loop* control = loop_.get();
    return {.loops = data_loops_.size(),
            .ticket_keys = ticket_keys_,
            .states = &states_,
            .release = [control](gate::SnapshotHandle last) { control->post([freed = std::move(last)] {}); },
            .dns_seed = dns_seed_,
            .now = std::chrono::system_clock::now()};
}

bool Daemon::open_admin() {
    site_.emplace(admin::Site{.routes = admin::routes(), .control = *this});
    site_->trusted_uids = {geteuid()};
    for (const auto& network : config().admin.metrics_from) site_->metrics_from.add(network.value);
    const auto serve = [this](Result<io::Fd> fd, admin::TlsSource tls) {
        if (!fd) return complain(fd.error().message);
        auto acceptor = io::Acceptor::adopt(*loop_, std::move(*fd), scope_.cancellation());
        if (!acceptor) return complain(acceptor.error().message);
        scope_.spawn(
            admin::accept_and_serve(*loop_, scope_.cancellation(), std::move(*acceptor), *site_, std::move(tls)));
        return true;
    };
    admin_socket_ = config().admin.socket.value;
    if (!serve(io::listen_unix(admin_socket_.string(), 0666), {})) return false;
    for (const auto& listen : config().admin.listen) {
        if (!serve(io::listen_tcp(listen.value.address, {.v4_too = listen.value.dual_stack}),
                   [this] { return generation_->admin_tls; })) {
            return false;
        }
    }
    return true;
}

}  // namespace sallyport::cli
