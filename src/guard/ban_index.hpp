// The banned clients, for readers on any thread while one thread writes. To ask costs two cache lines and the same
// instructions whether nobody is banned or a million are.
//
// Buckets of one line each, and two of them where a client may stand; it goes to the emptier one. Nothing is ever
// moved, so a reader can't miss a client that stays. At most half of all slots are used, which leaves both buckets of a
// client full about never; if it does happen, another one of that bucket makes room.
#pragma once

#include "guard/client_key.hpp"

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace sallyport::guard {

class BanIndex {
public:
    /// @param capacity  clients, at least 1; memory is touched only as they come
    /// @param seed      secret, or a flood of chosen addresses could fill one bucket
    BanIndex(std::size_t capacity, std::uint64_t seed);

    /// Any thread.
    bool contains(ClientKey client) const {
        const std::uint64_t mixed = mix(client.bits());
        const Bucket& first = buckets_[mixed & mask_];
        const Bucket& second = buckets_[mixed >> 32 & mask_];
        unsigned found = 0;
        for (std::size_t i = 0; i < slots_a_bucket; ++i) {
            found |= static_cast<unsigned>(first[i].load(std::memory_order_relaxed) == client.bits());
            found |= static_cast<unsigned>(second[i].load(std::memory_order_relaxed) == client.bits());
        }
        return found != 0 && !client.is_nobody();
    }

    // One thread.
    /// Answers the client that had to make room; nobody, as a rule.
    ClientKey insert(ClientKey client);
    void erase(ClientKey client);

private:
    static constexpr std::size_t slots_a_bucket = 8;
    using Bucket = std::array<std::atomic<std::uint64_t>, slots_a_bucket>;  // 0: free

    struct Unmap {
        std::size_t bytes;
        void operator()(Bucket* buckets) const;
    };

    std::uint64_t mix(std::uint64_t bits) const {
        std::uint64_t mixed = (bits ^ seed_) * 0x9E3779B97F4A7C15ULL;
        mixed ^= (mixed >> 29) ^ std::rotl(seed_, 17);
        mixed *= 0xBF58476D1CE4E5B9ULL;
        return mixed ^ (mixed >> 32);
    }

    std::uint64_t seed_;
    std::uint64_t mask_;
    std::unique_ptr<Bucket[], Unmap> buckets_;
};

}  // namespace sallyport::guard
