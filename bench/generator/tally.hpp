// What happened in a run: finished operations, bytes, and every fault by kind. One fault makes the run invalid.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::bench {

enum class Fault { connect, handshake, refused, early_close, wrong_answer, bad_request, lost_bytes, stalled, count };

constexpr std::array<std::string_view, static_cast<std::size_t>(Fault::count)> fault_names{
    "connect", "handshake", "refused", "early_close", "wrong_answer", "bad_request", "lost_bytes", "stalled"};

struct Tally {
    std::uint64_t ops = 0;         // answered and checked
    std::uint64_t poured = 0;      // bytes that the backend streamed
    std::uint64_t received = 0;    // bytes of a stream that the client took
    std::uint64_t reconnects = 0;  // kept connections that the relay closed in due form between two requests
    std::vector<std::uint64_t> latencies;  // nanoseconds, of paced operations
    std::vector<std::uint64_t> delays;     // nanoseconds by which we ourselves came late to them, part of the above
    std::array<std::uint64_t, static_cast<std::size_t>(Fault::count)> faults{};
    std::string first_fault;  // for people: what the first fault looked like

    void fault(Fault kind, std::string detail) {
        ++faults[static_cast<std::size_t>(kind)];
        if (first_fault.empty()) first_fault = std::move(detail);
    }
    /// Nothing has been done yet; faults stay.
    void start_counting() {
        ops = received = poured = reconnects = 0;
        latencies.clear();
        delays.clear();
    }
    bool faulty() const {
        for (const auto count : faults) {
            if (count > 0) return true;
        }
        return false;
    }
};

}  // namespace sallyport::bench
