#include "io/frame_pool.hpp"

#include <array>
#include <new>
#include <utility>

namespace sallyport::io {

namespace {

// Sanitizers see a use after free only when memory really is freed.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool pooled = false;
#else
constexpr bool pooled = true;
#endif
#else
constexpr bool pooled = true;
#endif

constexpr std::size_t step = 64;        // bytes between size classes
constexpr std::size_t classes = 64;     // up to 4 KiB; larger frames come from the heap
constexpr std::size_t keep_most = 512;  // of each class, so that a burst's memory is given back

struct Free {
    Free* next;
};

struct Pool {
    std::array<Free*, classes> lists{};
    std::array<std::size_t, classes> lengths{};
    std::size_t live = 0;

    ~Pool() {
        for (Free* list : lists) {
            while (list != nullptr) ::operator delete(std::exchange(list, list->next));
        }
    }
};

thread_local Pool pool;

constexpr std::size_t class_of(std::size_t size) { return (size + step - 1) / step; }

}  // namespace

void* FramePool::allocate(std::size_t size) {
    ++pool.live;
    const std::size_t cls = class_of(size);
    if (!pooled || cls >= classes) return ::operator new(size);
    if (Free* first = pool.lists[cls]) {
        pool.lists[cls] = first->next;
        --pool.lengths[cls];
        return first;
    }
    return ::operator new(cls * step);
}

void FramePool::release(void* memory, std::size_t size) noexcept {
    --pool.live;
    const std::size_t cls = class_of(size);
    if (!pooled || cls >= classes || pool.lengths[cls] >= keep_most) {
        ::operator delete(memory);
        return;
    }
    auto* first = static_cast<Free*>(memory);
    first->next = pool.lists[cls];
    pool.lists[cls] = first;
    ++pool.lengths[cls];
}

std::size_t FramePool::live() noexcept { return pool.live; }

}  // namespace sallyport::io
