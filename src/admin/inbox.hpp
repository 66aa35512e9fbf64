// The receiving end of an HTTP/1.1 connection, for both sides of the control plane: what has come and is not used up
// yet, and how bodies are read out of it.
#pragma once

#include "base/bytes.hpp"
#include "io/loop.hpp"
#include "io/stream.hpp"
#include "io/task.hpp"
#include "wire/http/head.hpp"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>

namespace sallyport::admin {

inline constexpr std::size_t max_head = std::size_t{16} * 1024;  // bytes, with its empty line

/// Why a message did not come whole.
enum class Trouble : std::uint8_t {
    closed,  // the peer is gone, or our own side is shutting down: nobody to answer
    timeout,
    too_large,
    malformed,
};

class Inbox {
public:
    /// @param stream  outlives the inbox and stays where it is.
    explicit Inbox(io::Stream& stream) : stream_(stream) {}

    Bytes bytes() const { return as_bytes(arrived_).subspan(used_); }
    bool empty() const { return used_ == arrived_.size(); }
    /// Takes the first `count` bytes off.
    void drop(std::size_t count) { used_ += count; }

    /// Waits for at least one byte more. A peer that always has some ready shares the loop with the others, and its
    /// time ends all the same.
    io::Task<std::optional<Trouble>> more(io::Deadline deadline);

    /// Waits for more of a head that is not complete: until a line has ended, because only then is there something new
    /// to judge. A peer that sends byte by byte must not make us read its whole head again for each.
    io::Task<std::optional<Trouble>> more_of_head(io::Deadline deadline);

    /// The body that `framing` announces, which follows at the front of what has come.
    /// @param limit  bytes; a body beyond is too_large, as soon as that is known.
    io::Task<std::expected<std::string, Trouble>> body(http::Framing framing, std::size_t limit, io::Deadline deadline);

private:
    io::Task<std::expected<std::string, Trouble>> chunked_body(std::size_t limit, io::Deadline deadline);

    io::Stream& stream_;
    std::string arrived_;
    std::size_t used_ = 0;  // of arrived_; taken off only when more comes, so that many small pieces cost no copying
};

}  // namespace sallyport::admin
