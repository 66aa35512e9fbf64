// The bans in the kernel, where `enforce` of [guard] asks for them: nft is run for it, at the start, on each change,
// and at the end.
#include "cli/daemon.hpp"

#include "cli/settings.hpp"
#include "firewall/programs.hpp"

#include <cstdio>

namespace sallyport::cli {

namespace {

using telemetry::Level;

bool wants_kernel(const config::Config& config) { return config.guard.enforce.value == config::Enforce::nftables; }

std::vector<guard::kernel_rules::Port> ports_of(const config::Config& config) {
    std::vector<guard::kernel_rules::Port> ports;
    const auto add = [&ports](const config::ListenAddress& at, bool udp) {
        ports.push_back(
            {.address = at.address.ip, .both_families = at.dual_stack, .port = at.address.port, .udp = udp});
    };
    for (const auto& claim : claims_of(config)) add(claim.address, false);
    for (const auto& claim : udp_claims_of(config)) add(claim.address, true);
    return ports;
}

}  // namespace

// After the guard knows whom it remembers. Without it the start fails, as the configuration asks for it.
bool Daemon::enter_kernel() {
    if (!wants_kernel(config())) return true;
    take_to_kernel();
    Result<void> made;
    io::Scope first(*loop_);
    first.spawn([](Daemon& self, Result<void>& out) -> io::Task<void> {
        out = co_await self.kernel_->create();
        self.loop_->stop();
    }(*this, made));
    loop_->run();
    if (!made) std::fprintf(stderr, "sallyport: guard.enforce is \"nftables\": %s\n", made.error().message.c_str());
    return made.has_value();
}

// Of a start that comes to nothing.
void Daemon::leave_kernel() {
    if (!kernel_) return;
    io::Scope last(*loop_);
    last.spawn([](Daemon& self) -> io::Task<void> {
        co_await firewall::load_by_nft(*self.loop_, guard::kernel_rules::withdraw());
        self.loop_->stop();
    }(*this));
    loop_->run();
}

Result<void, admin::Problem> Daemon::may_enter_kernel(const config::Config& wanted) const {
    const bool asks = !wanted.stun.kernel_nat.empty();
    if (may_rule_kernel() || (!wants_kernel(wanted) && !asks)) return {};
    const std::string_view lacks = wants_kernel(wanted) ? lacks_net_admin : may_not_ask_kernel;
    return std::unexpected(admin::Problem{.status = 422, .detail = "restart needed: " + std::string(lacks)});
}

// As the configuration has it now.
void Daemon::take_to_kernel() {
    if (!wants_kernel(config())) {
        guard_->enforce_by(nullptr);
        if (kernel_) scope_.spawn(give_up_kernel(std::move(kernel_)));
        return;
    }
    const bool first = kernel_ == nullptr;
    if (first) {
        kernel_ = std::make_unique<guard::KernelBans>(
            *loop_, guard::KernelBans::Options{
                        .run = [this](std::string text) { return firewall::load_by_nft(*loop_, std::move(text)); },
                        .all = [this] { return guard_->table().clients(); },
                        .changed =
                            [this](const std::string& why) {
                                if (why.empty())
                                    event(Level::info, "the kernel knows the bans");
                                else
                                    event(Level::warn, "bans hold at accept alone: the kernel can't be told",
                                          {{"error", why}});
                            }});
        guard_->enforce_by(&*kernel_);
    }
    kernel_->listen_at(ports_of(config()));
    if (first && state_ != admin::Readiness::State::starting) scope_.spawn(kernel_->keep());
}

io::Task<void> Daemon::give_up_kernel(std::unique_ptr<guard::KernelBans> kernel) { co_await kernel->close(); }

}  // namespace sallyport::cli
