#include "turn/bit_limits.hpp"

#include <algorithm>
#include <chrono>
#include <limits>

namespace sallyport::turn {

using namespace std::chrono_literals;

namespace {

constexpr Duration burst = 250ms;
constexpr Duration least_pause = 10ms;  // others may have been quicker: then it is tried again, but not without end
constexpr std::size_t most_bytes = std::size_t{64} * 1024;
constexpr std::uint64_t byte_times = 64;  // bits of a byte, in eighths of a second

std::size_t share_of(std::span<const BitLimit> limits) {
    const bool is_free = std::ranges::all_of(limits, [](const BitLimit& limit) { return limit.per_second == 0; });
    if (is_free) return std::numeric_limits<std::size_t>::max();
    std::uint64_t bytes = most_bytes;
    for (const BitLimit& limit : limits) {
        if (limit.per_second != 0) bytes = std::min(bytes, limit.per_second / byte_times);
    }
    return static_cast<std::size_t>(std::max<std::uint64_t>(1, bytes));
}

}  // namespace

BitGrant take_bits(std::span<const BitLimit> limits, SteadyTime now) {
    const std::size_t bytes = share_of(limits);
    for (std::size_t i = 0; i < limits.size(); ++i) {
        const auto& [bucket, per_second] = limits[i];
        if (per_second == 0 || bucket->take(8 * bytes, per_second, burst, now)) continue;
        give_back_bits(limits.first(i), bytes);
        return {.bytes = 0, .again = std::max(bucket->due(8 * bytes, per_second, burst), now + least_pause)};
    }
    return {.bytes = bytes};
}

void give_back_bits(std::span<const BitLimit> limits, std::size_t bytes) {
    for (const auto& [bucket, per_second] : limits) {
        if (per_second != 0) bucket->give_back(8 * bytes, per_second);
    }
}

}  // namespace sallyport::turn
