#include "gate/http/inbox.hpp"

#include "io/frame_pool.hpp"

#include <cstring>

namespace sallyport::gate::http {

io::Got Inbox::fill(io::Stream& stream) {
    if (memory_ == nullptr) memory_ = static_cast<std::byte*>(io::FramePool::allocate(capacity));
    if (end_ == capacity) return {io::Io::again};
    const io::Got got = stream.read({memory_ + end_, capacity - end_});
    end_ += got.bytes;
    return got;
}

void Inbox::rewind() { make_room(0); }

void Inbox::make_room(std::size_t kept) {
    if (begin_ <= kept) return;
    std::memmove(memory_ + kept, memory_ + begin_, end_ - begin_);
    end_ = kept + (end_ - begin_);
    begin_ = kept;
}

void Inbox::rest() {
    if (empty()) release();
}

void Inbox::release() {
    if (memory_ != nullptr) io::FramePool::release(memory_, capacity);
    memory_ = nullptr;
    begin_ = end_ = 0;
}

}  // namespace sallyport::gate::http
