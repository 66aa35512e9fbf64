// What a client has sent and nobody has consumed yet. Owns memory only while there is something: an idle kept
// connection costs none.
#pragma once

#include "base/bytes.hpp"
#include "io/stream.hpp"

#include <cstddef>

namespace sallyport::gate::http {

class Inbox {
public:
    static constexpr std::size_t max_head = std::size_t{16} * 1024;  // bytes; beyond: 431
    static constexpr std::size_t capacity = 2 * max_head;            // a head, and a window for its body behind it

    Inbox() = default;
    Inbox(const Inbox&) = delete;
    Inbox& operator=(const Inbox&) = delete;
    ~Inbox() { release(); }

    /// The first bytes since rewind(), consumed or not.
    Bytes front(std::size_t count) const { return {memory_, count}; }
    Bytes unread() const { return {memory_ + begin_, end_ - begin_}; }
    bool empty() const { return begin_ == end_; }

    /// Reads once from the stream, behind what is there. Io::again also when there is no room.
    io::Got fill(io::Stream& stream);

    void consume(std::size_t count) { begin_ += count; }

    /// Moves what is unread to the front, for the next request. Views into the inbox are gone then.
    void rewind();
    /// Moves what is unread down to `kept` bytes behind the front: the head that stands there stays.
    void make_room(std::size_t kept);
    /// Gives the memory back if nothing is unread.
    void rest();

private:
    void release();

    std::byte* memory_ = nullptr;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace sallyport::gate::http
