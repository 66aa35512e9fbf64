// A ring of byte frames from one writing thread to one reading thread. Neither ever waits for the other: a frame that
// does not fit is dropped and counted, because a log that can't keep up must not slow the traffic.
#pragma once

#include "base/bytes.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace sallyport::telemetry {

class LogRing {
public:
    /// @param capacity bytes, a power of two. Each frame takes its own size and four bytes more.
    explicit LogRing(std::size_t capacity);

    /// The writer's side. False when the frame was dropped because the ring is full.
    bool push(Bytes frame);

    /// The reader's side: moves the oldest frame into `room`, which must hold the largest one that is pushed.
    /// Answers its bytes; none when the ring is empty.
    Bytes pop(MutableBytes room);

    /// Frames dropped so far. Any thread.
    std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

private:
    void copy_in(std::size_t position, const void* from, std::size_t size);
    void copy_out(std::size_t position, void* to, std::size_t size) const;

    const std::size_t mask_;
    const std::unique_ptr<std::byte[]> bytes_;

    // Positions only grow; a position modulo the capacity is a place. Each side's own line of the cache: the
    // writer looks at the reader's position only when its last known one says "full".
    alignas(64) std::atomic<std::size_t> written_{0};
    std::size_t read_as_known_ = 0;
    std::atomic<std::uint64_t> dropped_{0};
    alignas(64) std::atomic<std::size_t> read_{0};
};

}  // namespace sallyport::telemetry
