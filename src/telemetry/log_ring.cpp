#include "telemetry/log_ring.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <stdexcept>

namespace sallyport::telemetry {

namespace {

using Length = std::uint32_t;

}  // namespace

LogRing::LogRing(std::size_t capacity) : mask_(capacity - 1), bytes_(std::make_unique<std::byte[]>(capacity)) {
    if (!std::has_single_bit(capacity)) throw std::invalid_argument("a log ring's capacity must be a power of two");
}

bool LogRing::push(Bytes frame) {
    const std::size_t at = written_.load(std::memory_order_relaxed);
    const std::size_t needed = sizeof(Length) + frame.size();
    const std::size_t capacity = mask_ + 1;
    if (at + needed - read_as_known_ > capacity) {
        read_as_known_ = read_.load(std::memory_order_acquire);
        if (at + needed - read_as_known_ > capacity) {
            dropped_.store(dropped_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
            return false;
        }
    }
    const auto length = static_cast<Length>(frame.size());
    copy_in(at, &length, sizeof(length));
    copy_in(at + sizeof(length), frame.data(), frame.size());
    written_.store(at + needed, std::memory_order_release);
    return true;
}

Bytes LogRing::pop(MutableBytes room) {
    const std::size_t at = read_.load(std::memory_order_relaxed);
    if (at == written_.load(std::memory_order_acquire)) return {};
    Length length = 0;
    copy_out(at, &length, sizeof(length));
    if (length > room.size())
        throw std::length_error("a log ring's reader has less room than its writer's frames need");
    copy_out(at + sizeof(length), room.data(), length);
    read_.store(at + sizeof(length) + length, std::memory_order_release);
    return room.first(length);
}

void LogRing::copy_in(std::size_t position, const void* from, std::size_t size) {
    if (size == 0) return;
    const std::size_t place = position & mask_;
    const std::size_t before_end = std::min(size, mask_ + 1 - place);
    std::memcpy(bytes_.get() + place, from, before_end);
    std::memcpy(bytes_.get(), static_cast<const std::byte*>(from) + before_end, size - before_end);
}

void LogRing::copy_out(std::size_t position, void* to, std::size_t size) const {
    const std::size_t place = position & mask_;
    const std::size_t before_end = std::min(size, mask_ + 1 - place);
    std::memcpy(to, bytes_.get() + place, before_end);
    std::memcpy(static_cast<std::byte*>(to) + before_end, bytes_.get(), size - before_end);
}

}  // namespace sallyport::telemetry
