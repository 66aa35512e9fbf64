// Free lists for coroutine frames and descriptor states: a connection that comes and goes costs no malloc.
// One pool a thread; what a thread took, the same thread gives back.
#pragma once

#include <cstddef>

namespace sallyport::io {

class FramePool {
public:
    static void* allocate(std::size_t size);
    static void release(void* memory, std::size_t size) noexcept;

    /// Frames of this thread that are out now. Tests end with none.
    static std::size_t live() noexcept;
};

}  // namespace sallyport::io
