// The page /metrics: what the loops counted and how the process fares, in the Prometheus text format (version 0.0.4).
// Labels are protocols, verdicts and reason codes: never a user, never an address.
#pragma once

#include "base/time.hpp"
#include "telemetry/counters.hpp"
#include "telemetry/logger.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace sallyport::telemetry {

/// What the kernel says of this process. What can't be read is 0.
struct ProcessFacts {
    std::uint64_t open_descriptors = 0;
    std::uint64_t most_descriptors = 0;
    std::uint64_t resident_bytes = 0;
    std::uint64_t virtual_bytes = 0;
    double cpu_seconds = 0;  // user and system
};

ProcessFacts process_facts();

/// How the guard stands.
struct GuardFacts {
    std::uint64_t bans = 0;      // now
    std::uint64_t allows = 0;    // entries, now
    std::uint64_t suspects = 0;  // clients with any sign in the window
    std::uint64_t added = 0;     // bans since the start
    std::uint64_t signs = 0;     // told since the start
    std::uint64_t dropped = 0;   // of them, too many at once to be counted
    bool shares = false;         // with other gateways,
    bool in_step = false;        // and can at present
    bool enforces = false;       // by the kernel as well,
    bool in_kernel = false;      // which knows them all at present
};

/// The media type to answer with.
inline constexpr std::string_view metrics_media_type = "text/plain; version=0.0.4; charset=utf-8";

/// @param uptime since the process began.
std::string metrics_text(const Totals& totals, const LogLosses& losses, const GuardFacts& guard,
                         const ProcessFacts& process, Duration uptime);

}  // namespace sallyport::telemetry
