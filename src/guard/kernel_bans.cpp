#include "guard/kernel_bans.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace sallyport::guard {

namespace {

using namespace std::chrono_literals;

constexpr Duration gathers_for = 100ms;
constexpr Duration looks_after = 30s;  // is the table still there? "nft flush ruleset" is soon typed
constexpr Duration tries_again_after = 5s;

}  // namespace

void KernelBans::listen_at(std::vector<kernel_rules::Port> ports) {
    if (ports == frame_.ports) return;
    frame_.ports = std::move(ports);
    frame_changed_ = true;
    something_to_do_.raise();
}

void KernelBans::go_by(std::vector<Network> banned, std::vector<Network> allowed) {
    if (banned == frame_.banned && allowed == frame_.allowed) return;
    frame_.banned = std::move(banned);
    frame_.allowed = std::move(allowed);
    frame_changed_ = true;
    something_to_do_.raise();
}

void KernelBans::change(ClientKey client, std::optional<SteadyTime> expires) {
    if (anew_) return;  // all() will know
    if (changes_.size() >= most_waiting && !changes_.contains(client)) {
        anew_ = true;
        changes_.clear();
    } else {
        changes_.insert_or_assign(client, expires);
    }
    something_to_do_.raise();
}

std::string KernelBans::next_text() {
    if (anew_) {
        anew_ = frame_changed_ = false;
        changes_.clear();
        missing_ = options_.all();
        return kernel_rules::create(frame_) + text_of_missing();
    }
    if (std::exchange(frame_changed_, false)) return kernel_rules::replace(frame_);
    if (!missing_.empty()) return text_of_missing();
    return changes_.empty() ? kernel_rules::probe() : text_of_changes();
}

std::string KernelBans::text_of_missing() {
    const std::size_t count = std::min(clients_a_run, missing_.size());
    const auto first = missing_.end() - static_cast<std::ptrdiff_t>(count);
    std::string text = kernel_rules::add({first, missing_.end()}, loop_.now());
    missing_.erase(first, missing_.end());
    return text;
}

std::string KernelBans::text_of_changes() {
    std::vector<BannedClient> banned;
    std::vector<ClientKey> lifted;
    for (std::size_t i = 0; i < clients_a_run && !changes_.empty(); ++i) {
        const auto [client, expires] = *changes_.begin();
        changes_.erase(changes_.begin());
        if (expires)
            banned.push_back({client, *expires});
        else
            lifted.push_back(client);
    }
    return kernel_rules::add(banned, loop_.now()) + kernel_rules::remove(lifted);
}

io::Task<Result<void>> KernelBans::step() {
    std::string text = next_text();
    Result<void> done = co_await options_.run(std::move(text));
    if (!done) {
        in_step_ = false;
        anew_ = true;
        missing_.clear();
    } else if (missing_.empty() && !anew_) {
        in_step_ = true;
    }
    co_return done;
}

// Once for each turn of things.
void KernelBans::tell(const Result<void>& done) {
    if (done && !in_step_) return;  // on its way
    if (std::exchange(told_, done.has_value()) == done.has_value()) return;
    options_.changed(done ? std::string() : done.error().message);
}

io::Task<Result<void>> KernelBans::create() { co_return co_await step(); }

io::Task<void> KernelBans::keep() {
    for (;;) {
        if (!is_behind() && !closing_.requested()) {
            const io::Wait waited = co_await something_to_do_.wait(loop_.in(looks_after));
            if (waited == io::Wait::ready) continue;  // perhaps for what has been done meanwhile
        }
        if (closing_.requested()) break;
        const Result<void> done = co_await step();
        tell(done);
        co_await io::Sleep(loop_, closing_, loop_.in(done ? gathers_for : tries_again_after));
    }
    const auto gone = co_await options_.run(kernel_rules::withdraw());
    if (!gone) options_.changed(gone.error().message);
    in_step_ = false;
    closed_.raise();
}

io::Task<void> KernelBans::close() {
    closing_.request();
    something_to_do_.raise();
    co_await closed_.wait(io::Deadline::none);
}

}  // namespace sallyport::guard
