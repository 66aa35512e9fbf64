#include "turn/source_rates.hpp"

#include "base/address.hpp"
#include "turn/relay_ports.hpp"

namespace sallyport::turn {

SourceRates::SourceRates() : seed_(random_number()), rates_(std::make_unique<std::array<Bucket, buckets>>()) {}

bool SourceRates::take(const IpAddress& source, std::uint32_t per_second, SteadyTime now) {
    if (per_second == 0) return true;
    // Whoever has one address of IPv6 has its /64.
    const IpAddress key = source.is_v4() ? source : Network(source, 64).address();
    std::uint64_t mixed = (std::hash<IpAddress>{}(key) ^ seed_) * 0x9E3779B97F4A7C15ULL;
    mixed ^= mixed >> 32;
    return (*rates_)[mixed % buckets].take(1, per_second, burst, now);
}

}  // namespace sallyport::turn
