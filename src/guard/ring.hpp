// A ring of values from one writing thread to one reading thread. Neither ever waits for the other: what does not fit
// is dropped and counted.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>

namespace sallyport::guard {

/// @tparam capacity  values, a power of two
template <class T, std::size_t capacity>
class Ring {
    static_assert(std::is_trivially_copyable_v<T> && (capacity & (capacity - 1)) == 0);

public:
    /// The writer's side. False when it was dropped because the ring is full.
    bool push(const T& value) {
        const std::size_t at = written_.load(std::memory_order_relaxed);
        if (at - read_.load(std::memory_order_acquire) == capacity) {
            dropped_.store(dropped_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
            return false;
        }
        slots_[at & (capacity - 1)] = value;
        written_.store(at + 1, std::memory_order_release);
        return true;
    }

    /// The reader's side: the oldest one; nothing when the ring is empty.
    std::optional<T> pop() {
        const std::size_t at = read_.load(std::memory_order_relaxed);
        if (at == written_.load(std::memory_order_acquire)) return std::nullopt;
        const T value = slots_[at & (capacity - 1)];
        read_.store(at + 1, std::memory_order_release);
        return value;
    }

    /// Any thread.
    std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

private:
    const std::unique_ptr<T[]> slots_ = std::make_unique<T[]>(capacity);

    // Positions only grow; a position modulo the capacity is a place. Each side has a line of the cache to itself.
    alignas(64) std::atomic<std::size_t> written_{0};
    std::atomic<std::uint64_t> dropped_{0};
    alignas(64) std::atomic<std::size_t> read_{0};
};

}  // namespace sallyport::guard
