#include "telemetry/counters.hpp"

#include <algorithm>

namespace sallyport::telemetry {

namespace {

void add(std::uint64_t& total, const Counter& counter) { total += counter.value(); }

template <class To, class From, std::size_t size>
void add(std::array<To, size>& totals, const std::array<From, size>& counters) {
    for (std::size_t i = 0; i < size; ++i) add(totals[i], counters[i]);
}

void add(ProtocolNumbers<std::uint64_t>& totals, const ProtocolNumbers<Counter>& counters) {
    // Closed first: connections that come and go meanwhile should not make more closed than accepted.
    add(totals.closed, counters.closed);
    add(totals.accepted, counters.accepted);
    add(totals.bytes_in, counters.bytes_in);
    add(totals.bytes_out, counters.bytes_out);
    for (std::size_t verdict = 0; verdict < totals.ended.size(); ++verdict) {
        add(totals.ended[verdict], counters.ended[verdict]);
    }
    add(totals.durations, counters.durations);
    add(totals.duration_nanoseconds, counters.duration_nanoseconds);
}

}  // namespace

void LoopCounters::ended(const Record& record) {
    auto& numbers = numbers_.of(record.protocol);
    const Duration duration = std::max(record.duration, Duration{0});
    numbers.ended[static_cast<std::size_t>(record.verdict)][index(record.reason)].add(1);
    numbers.durations[duration_bucket(duration)].add(1);
    numbers.duration_nanoseconds.add(static_cast<std::uint64_t>(duration.count()));
}

Totals collect(std::span<const LoopCounters* const> loops) {
    Totals totals;
    for (const LoopCounters* loop : loops) {
        const Numbers<Counter>& counters = loop->numbers();
        for (std::size_t i = 0; i < totals.protocols.size(); ++i) add(totals.protocols[i], counters.protocols[i]);
        add(totals.http_requests, counters.http_requests);
    }
    return totals;
}

}  // namespace sallyport::telemetry
