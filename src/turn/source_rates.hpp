// How often one source may be answered before it has proven who it is: so that nobody who forges addresses makes this
// server shout at a victim. A fixed number of buckets; sources that meet in one share it.
#pragma once

#include "base/address.hpp"
#include "base/time.hpp"
#include "turn/quotas.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace sallyport::turn {

class SourceRates {
public:
    static constexpr std::size_t buckets = 4096;
    static constexpr Duration burst = std::chrono::seconds(1);

    SourceRates();

    /// @param per_second  0: no limit
    bool take(const IpAddress& source, std::uint32_t per_second, SteadyTime now);

private:
    std::uint64_t seed_;  // so that nobody can choose an address that shares a victim's bucket
    std::unique_ptr<std::array<Bucket, buckets>> rates_;
};

}  // namespace sallyport::turn
