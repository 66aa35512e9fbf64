// Ending two streams from another thread. What is a descriptor of theirs now may be closed in a moment, and somebody
// else's in the next: nobody but the thread of their loop can know.
#pragma once

#include "io/loop.hpp"
#include "io/stream.hpp"

#include <sys/socket.h>

#include <array>
#include <functional>
#include <memory>

namespace sallyport::io {

/// Belongs to the streams' loop.
class HangUp {
public:
    /// Both live longer than it, closed or not.
    HangUp(Loop& loop, Stream& one, Stream& other)
        : loop_(loop), streams_(std::make_shared<const Streams>(Streams{&one, &other})) {}

    /// What shuts both directions of those that are open on their loop's next turn, and none once this object is gone.
    /// To be called from any thread, for as long as the loop lives.
    std::function<void()> by_any_thread() const {
        return [&loop = loop_, streams = std::weak_ptr(streams_)] {
            loop.post([streams] {
                const auto both = streams.lock();
                if (both == nullptr) return;
                for (const Stream* stream : *both) {
                    if (stream->is_open()) ::shutdown(stream->fd(), SHUT_RDWR);
                }
            });
        };
    }

private:
    using Streams = std::array<const Stream*, 2>;

    Loop& loop_;
    std::shared_ptr<const Streams> streams_;
};

}  // namespace sallyport::io
