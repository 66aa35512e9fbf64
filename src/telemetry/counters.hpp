// What each data loop counts. One writer a loop and no sharing of cache lines, so counting costs an add; the control
// loop reads them at any time and sums them up. Unlike the log, counters never miss a record.
#pragma once

#include "base/time.hpp"
#include "telemetry/protocol.hpp"
#include "telemetry/reason.hpp"
#include "telemetry/record.hpp"

#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

namespace sallyport::telemetry {

/// A number with one writing thread and any number of readers.
class Counter {
public:
    void add(std::uint64_t amount) { value_.store(value() + amount, std::memory_order_relaxed); }
    std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

/// Bounds of the duration histogram: 250 us doubled each time, up to some 70 minutes; the last bucket has none.
inline constexpr std::size_t duration_bounds = 25;
inline constexpr std::chrono::microseconds first_duration_bound{250};

constexpr std::chrono::microseconds duration_bound(std::size_t bucket) {
    return first_duration_bound * (1LL << bucket);
}

/// The first bucket whose bound is not below `duration`; duration_bounds when none is.
constexpr std::size_t duration_bucket(Duration duration) {
    const Duration first = first_duration_bound;
    if (duration <= first) return 0;
    const auto firsts = static_cast<std::uint64_t>((duration - Duration{1}) / first);  // whole ones below it
    const auto bucket = static_cast<std::size_t>(std::bit_width(firsts));
    return bucket < duration_bounds ? bucket : duration_bounds;
}

/// The numbers of one protocol: as Counter in a loop, as plain integers in the sum.
template <class Number>
struct ProtocolNumbers {
    Number accepted{}, closed{};    // connections
    Number bytes_in{}, bytes_out{};  // from clients, to clients
    std::array<std::array<Number, reasons.size()>, 2> ended{};  // records, by verdict and reason
    std::array<Number, duration_bounds + 1> durations{};
    Number duration_nanoseconds{};
};

template <class Number>
struct Numbers {
    std::array<ProtocolNumbers<Number>, protocol_names.size()> protocols{};
    Number http_requests{};

    ProtocolNumbers<Number>& of(Protocol protocol) { return protocols[index(protocol)]; }
    const ProtocolNumbers<Number>& of(Protocol protocol) const { return protocols[index(protocol)]; }
};

/// The counters of one data loop; only that loop's thread may write.
class alignas(64) LoopCounters {
public:
    void accepted(Protocol protocol) { numbers_.of(protocol).accepted.add(1); }
    void closed(Protocol protocol) { numbers_.of(protocol).closed.add(1); }
    void http_request() { numbers_.http_requests.add(1); }

    /// Bytes as they pass, so that a tunnel that lasts for days shows.
    void passed(Protocol protocol, std::uint64_t bytes_in, std::uint64_t bytes_out) {
        numbers_.of(protocol).bytes_in.add(bytes_in);
        numbers_.of(protocol).bytes_out.add(bytes_out);
    }

    /// A connection or request that ended, with its record: verdict, reason and duration. Its bytes are told by
    /// passed().
    void ended(const Record& record);

    const Numbers<Counter>& numbers() const { return numbers_; }

private:
    Numbers<Counter> numbers_;
};

struct Totals : Numbers<std::uint64_t> {
    std::uint64_t turns = 0;  // of the data loops, which count them themselves (io::Loop::turns)
};

/// The sum over all loops, as of about now. Any thread.
Totals collect(std::span<const LoopCounters* const> loops);

}  // namespace sallyport::telemetry
