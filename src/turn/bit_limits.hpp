// Limits on bits where nothing may be dropped: a connection is read no faster than they let it (RFC 6062's relays).
//
// Datagrams that exceed a limit are lost (server_relaying.cpp). Streams leave half of its burst to them: where all
// share one limit, calls go before downloads.
#pragma once

#include "base/time.hpp"
#include "turn/quotas.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace sallyport::turn {

struct BitLimit {
    Bucket* bucket = nullptr;
    std::uint64_t per_second = 0;  // 0: there is none
};

struct BitGrant {
    std::size_t bytes = 0;  // 0: none before `again`
    SteadyTime again{};
};

/// Takes from all limits, or from none, what one read may bring: an eighth of a second's worth of the least of them,
/// 64 KiB at the most. Without a limit: as much as there is.
BitGrant take_bits(std::span<const BitLimit> limits, SteadyTime now);
/// What a read did not bring of what was taken, by the same limits.
void give_back_bits(std::span<const BitLimit> limits, std::size_t bytes);

}  // namespace sallyport::turn
