// What one loop's forwarder counts: written by its thread, read by any, at any time.
#pragma once

#include "base/time.hpp"
#include "telemetry/counters.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::dns {

/// What may happen to a question that is not ours to answer.
enum class Event : std::uint8_t {
    hit,         // it was answered out of the cache
    miss,        // an upstream had to be asked,
    joined,      // or was being asked already
    prefetched,  // a hit was fetched again, before its time is over
    stale,       // it was answered with what is past its time
    rebind,      // its answer held a private address
    failure,     // no upstream gave an answer in time
    busy,        // too many were under way
};
inline constexpr std::array<std::string_view, 8> event_names{"hit",   "miss",   "joined",  "prefetched",
                                                             "stale", "rebind", "failure", "busy"};

/// What passes between us and one upstream.
enum class Passed : std::uint8_t {
    sent,       // questions, by UDP
    streamed,   // questions, by TCP or TLS
    answered,   // answers that fit
    missed,     // questions that were not answered in time, or could not be sent
    forged,     // messages that answered nothing
};
inline constexpr std::array<std::string_view, 5> passed_names{"sent", "streamed", "answered", "missed", "forged"};

template <class Number>
struct ForwarderNumbers {
    std::array<Number, event_names.size()> events{};
    Number& of(Event event) { return events[static_cast<std::size_t>(event)]; }
    const Number& of(Event event) const { return events[static_cast<std::size_t>(event)]; }
};

template <class Number>
struct UpstreamNumbers {
    std::array<Number, passed_names.size()> passed{};
    Number& of(Passed what) { return passed[static_cast<std::size_t>(what)]; }
    const Number& of(Passed what) const { return passed[static_cast<std::size_t>(what)]; }
};

/// How an upstream stands, of one loop or summed up over all.
struct UpstreamFacts {
    std::string name;  // "9.9.9.9:53", as it is configured
    UpstreamNumbers<std::uint64_t> numbers;
    bool failing = false;   // to any loop
    Duration round_trip{};  // of the slowest; 0: not known yet

    void add(const UpstreamFacts& other);
};

/// The same of all that a forwarder does.
struct ForwarderFacts {
    ForwarderNumbers<std::uint64_t> numbers;
    std::uint64_t cached = 0;  // answers
    std::vector<UpstreamFacts> upstreams;

    void add(const ForwarderFacts& other);
};

}  // namespace sallyport::dns
