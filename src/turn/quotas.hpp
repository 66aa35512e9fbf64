// What one user, and all together, hold at a time: one ledger for all loops.
#pragma once

#include "base/time.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace sallyport::turn {

/// A rate that may be exceeded for a moment: a virtual clock that each taking moves on, and that may not run further
/// ahead than the burst lasts (the generic cell rate algorithm). Any thread; no lock.
class Bucket {
public:
    /// May `amount` be taken now? Then it is.
    /// @param per_second  more than 0
    /// @param burst       how long a pause may be made up for at once
    bool take(std::uint64_t amount, std::uint64_t per_second, Duration burst, SteadyTime now);
    /// Of what was taken, this was not used.
    void give_back(std::uint64_t amount, std::uint64_t per_second);
    /// From when on the amount can be taken, if nobody else takes any.
    SteadyTime due(std::uint64_t amount, std::uint64_t per_second, Duration burst) const;

private:
    std::atomic<std::int64_t> free_at_{0};  // nanoseconds of the steady clock
};

/// One user's account in the ledger, while it has allocations, or connections that are not through with it.
struct Holding : std::enable_shared_from_this<Holding> {
    std::string user;
    std::uint32_t allocations = 0;  // the ledger's
    Bucket bits;
};

class Quotas {
public:
    struct Limits {
        std::uint32_t per_user = 0;  // 0: no limit
        std::uint32_t total = 0;
    };
    enum class Refused : std::uint8_t { user, total };

    /// One allocation more for this user. Takes a lock for one look-up: an allocation is born and dies rarely.
    std::expected<Holding*, Refused> open(std::string_view user, const Limits& limits);
    void close(Holding* holding);

    std::size_t users() const;
    std::uint32_t allocations() const { return total_.load(std::memory_order_relaxed); }
    Bucket& bits() { return bits_; }

private:
    mutable std::mutex mutex_;
    std::map<std::string, std::shared_ptr<Holding>, std::less<>> holdings_;
    std::atomic<std::uint32_t> total_{0};
    Bucket bits_;
};

}  // namespace sallyport::turn
