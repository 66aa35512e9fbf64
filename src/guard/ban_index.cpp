#include "guard/ban_index.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <new>

namespace sallyport::guard {

void BanIndex::Unmap::operator()(Bucket* buckets) const { ::munmap(buckets, bytes); }

BanIndex::BanIndex(std::size_t capacity, std::uint64_t seed)
    : seed_(seed),
      mask_(std::bit_ceil(std::max<std::size_t>(1, capacity * 2 / slots_a_bucket)) - 1),
      buckets_(nullptr, {0}) {
    const std::size_t bytes = (mask_ + 1) * sizeof(Bucket);
    // Pages come from the system zeroed and only when they are written: an empty index of a million costs nothing.
    void* const pages = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) throw std::bad_alloc();
    buckets_ = {static_cast<Bucket*>(pages), Unmap{bytes}};
}

ClientKey BanIndex::insert(ClientKey client) {
    if (client.is_nobody() || contains(client)) return {};
    const std::uint64_t mixed = mix(client.bits());
    const auto used = [](const Bucket& bucket) {
        return std::ranges::count_if(bucket,
                                     [](const auto& slot) { return slot.load(std::memory_order_relaxed) != 0; });
    };
    Bucket& first = buckets_[mixed & mask_];
    Bucket& second = buckets_[mixed >> 32 & mask_];
    Bucket& bucket = used(first) <= used(second) ? first : second;
    auto slot = std::ranges::find_if(bucket, [](const auto& one) { return one.load(std::memory_order_relaxed) == 0; });
    if (slot == bucket.end()) slot = bucket.begin();
    return ClientKey::of_bits(slot->exchange(client.bits(), std::memory_order_relaxed));
}

void BanIndex::erase(ClientKey client) {
    const std::uint64_t mixed = mix(client.bits());
    for (Bucket* bucket : {&buckets_[mixed & mask_], &buckets_[mixed >> 32 & mask_]}) {
        for (auto& slot : *bucket) {
            if (slot.load(std::memory_order_relaxed) == client.bits()) slot.store(0, std::memory_order_relaxed);
        }
    }
}

}  // namespace sallyport::guard
