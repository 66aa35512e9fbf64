#include "dns/numbers.hpp"

#include <algorithm>

namespace sallyport::dns {

namespace {

template <std::size_t Count>
void add_up(std::array<std::uint64_t, Count>& sums, const std::array<std::uint64_t, Count>& more) {
    for (std::size_t i = 0; i < Count; ++i) sums[i] += more[i];
}

}  // namespace

void UpstreamFacts::add(const UpstreamFacts& other) {
    add_up(numbers.passed, other.numbers.passed);
    failing = failing || other.failing;
    round_trip = std::max(round_trip, other.round_trip);
}

void ForwarderFacts::add(const ForwarderFacts& other) {
    add_up(numbers.events, other.numbers.events);
    cached += other.cached;
    for (const UpstreamFacts& one : other.upstreams) {
        const auto known = std::ranges::find(upstreams, one.name, &UpstreamFacts::name);
        if (known == upstreams.end())
            upstreams.push_back(one);
        else
            known->add(one);
    }
}

}  // namespace sallyport::dns
