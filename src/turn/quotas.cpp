#include "turn/quotas.hpp"

#include <algorithm>

namespace sallyport::turn {

namespace {

// Nanoseconds of the virtual clock.
std::int64_t cost_of(std::uint64_t amount, std::uint64_t per_second) {
    return static_cast<std::int64_t>(amount * 1'000'000'000 / per_second);
}

}  // namespace

bool Bucket::take(std::uint64_t amount, std::uint64_t per_second, Duration burst, SteadyTime now) {
    const std::int64_t at = now.time_since_epoch().count();
    const std::int64_t cost = cost_of(amount, per_second);
    std::int64_t free_at = free_at_.load(std::memory_order_relaxed);
    for (;;) {
        const std::int64_t next = std::max(free_at, at) + cost;
        if (next - at > burst.count()) return false;
        if (free_at_.compare_exchange_weak(free_at, next, std::memory_order_relaxed)) return true;
    }
}

void Bucket::give_back(std::uint64_t amount, std::uint64_t per_second) {
    free_at_.fetch_sub(cost_of(amount, per_second), std::memory_order_relaxed);
}

SteadyTime Bucket::due(std::uint64_t amount, std::uint64_t per_second, Duration burst) const {
    return SteadyTime(Duration(free_at_.load(std::memory_order_relaxed) + cost_of(amount, per_second)) - burst);
}

std::expected<Holding*, Quotas::Refused> Quotas::open(std::string_view user, const Limits& limits) {
    const std::lock_guard lock(mutex_);
    if (limits.total != 0 && allocations() >= limits.total) return std::unexpected(Refused::total);
    auto found = holdings_.find(user);
    if (found == holdings_.end()) {
        found = holdings_.emplace(user, std::make_shared<Holding>()).first;
        found->second->user = user;
    } else if (limits.per_user != 0 && found->second->allocations >= limits.per_user) {
        return std::unexpected(Refused::user);
    }
    ++found->second->allocations;
    total_.fetch_add(1, std::memory_order_relaxed);
    return found->second.get();
}

void Quotas::close(Holding* holding) {
    const std::lock_guard lock(mutex_);
    total_.fetch_sub(1, std::memory_order_relaxed);
    if (--holding->allocations == 0) holdings_.erase(holdings_.find(holding->user));
}

std::size_t Quotas::users() const {
    const std::lock_guard lock(mutex_);
    return holdings_.size();
}

}  // namespace sallyport::turn
