// What is known of targets while the program runs, beyond any configuration: do they answer, how many connections do
// they carry, what has an admin decided. Kept over reloads, shared by all loops; atomics only, so that asking costs
// a load.
#pragma once

#include "base/time.hpp"
#include "config/config.hpp"
#include "telemetry/reason.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::gate {

/// How a target stands.
enum class Condition : std::uint8_t {
    up,
    failing,  // traffic met a failure: the others are tried before it, until it has answered a probe
    down,     // its health checks say so: it gets nothing
};
inline constexpr std::array<std::string_view, 3> condition_names{"up", "failing", "down"};

/// What an admin has decided for a target.
enum class Wish : std::uint8_t {
    up,
    drain,        // nothing new; what it has goes on
    maintenance,  // nothing new, and no checks either
};
inline constexpr std::array<std::string_view, 3> wish_names{"up", "drain", "maintenance"};

constexpr std::string_view name(Condition condition) { return condition_names[static_cast<std::size_t>(condition)]; }
constexpr std::string_view name(Wish wish) { return wish_names[static_cast<std::size_t>(wish)]; }

class TargetState {
public:
    /// After so many answers in a row that were none, traffic's word is enough. A target that can't even be connected
    /// to is failing at once; but a request that makes a server drop it must not take the server from all others.
    static constexpr unsigned broken_answers_tolerated = 3;

    Condition condition() const { return condition_.load(std::memory_order_relaxed); }
    telemetry::Reason why() const { return why_.load(std::memory_order_relaxed); }  // it is not up
    WallTime since() const { return since_.load(std::memory_order_relaxed); }  // it is as it is; zero: the beginning
    Wish wish() const { return wish_.load(std::memory_order_relaxed); }
    void wish(Wish wish) { wish_.store(wish, std::memory_order_relaxed); }
    /// How long the last connect took, by traffic or by a check; zero: none yet.
    Duration latency() const { return latency_.load(std::memory_order_relaxed); }
    std::uint32_t active() const { return active_.load(std::memory_order_relaxed); }

    // From the data loops.
    void connected(Duration took) { latency_.store(took, std::memory_order_relaxed); }
    void not_connected(telemetry::Reason why, WallTime now) {
        if (condition() == Condition::up) set(Condition::failing, why, now);
    }
    /// It said something that only a server at work says (h323). Kept for who wants to know whether it is alive.
    void spoke(SteadyTime now) { spoke_.store(now, std::memory_order_relaxed); }
    SteadyTime spoke() const { return spoke_.load(std::memory_order_relaxed); }  // last; zero: never
    void answered() {
        if (broken_answers_.load(std::memory_order_relaxed) != 0) broken_answers_.store(0, std::memory_order_relaxed);
    }
    void broke_its_answer(telemetry::Reason why, WallTime now) {
        if (broken_answers_.fetch_add(1, std::memory_order_relaxed) + 1 >= broken_answers_tolerated)
            not_connected(why, now);
    }

    // From the checks.
    void set(Condition condition, telemetry::Reason why, WallTime now) {
        why_.store(why, std::memory_order_relaxed);
        since_.store(now, std::memory_order_relaxed);
        broken_answers_.store(0, std::memory_order_relaxed);
        condition_.store(condition, std::memory_order_relaxed);
    }

private:
    friend class Lease;

    std::atomic<Condition> condition_{Condition::up};
    std::atomic<Wish> wish_{Wish::up};
    std::atomic<telemetry::Reason> why_{telemetry::Reason::ok};
    std::atomic<unsigned> broken_answers_{0};
    std::atomic<std::uint32_t> active_{0};
    std::atomic<Duration> latency_{Duration{0}};
    std::atomic<WallTime> since_{WallTime{}};
    std::atomic<SteadyTime> spoke_{SteadyTime{}};
};

/// What is counted for a service as a whole.
struct ServiceState {
    std::atomic<std::uint32_t> active{0};  // connections to its targets; only where it has max_connections
};

/// A place among the connections of a target. Moves with the connection it is for.
class Lease {
public:
    Lease() = default;
    /// Takes a place; no lease when the service has `most` already (0: no limit).
    static std::optional<Lease> take(std::shared_ptr<TargetState> target, std::shared_ptr<ServiceState> service,
                                     std::uint32_t most);
    Lease(Lease&&) noexcept = default;
    Lease& operator=(Lease&& other) noexcept;
    ~Lease() { give_back(); }

    TargetState* target() const { return target_.get(); }

private:
    void give_back();

    std::shared_ptr<TargetState> target_;
    std::shared_ptr<ServiceState> service_;  // null: it has no limit
};

/// Finds the states of targets again when a configuration is built anew. One thread at a time.
class StateBook {
public:
    std::shared_ptr<ServiceState> service(const config::Service& service);
    /// A target is the same as long as its service, address and ports are.
    std::shared_ptr<TargetState> target(const config::Service& service, const config::Target& target);
    /// Drops the pages of those that no configuration holds any more.
    void forget_gone();

private:
    template <class T>
    using States = std::map<std::string, std::weak_ptr<T>, std::less<>>;

    States<ServiceState> services_;
    States<TargetState> targets_;
};

}  // namespace sallyport::gate
