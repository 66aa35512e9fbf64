// One TCP or Unix connection, with TLS on it or not: the rest of the house does not care which.
//
// Reading and writing never block and never suspend; when there is nothing to read or no room to write, the caller
// waits for the edge and tries again. What a write could not send is kept by the stream, so a write takes all or fails;
// the caller keeps memory bounded by not writing more while `blocked()`.
#pragma once

#include "base/address.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "io/wait_any.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace sallyport::io {

class TlsSession;

enum class Io : std::uint8_t {
    ok,
    again,  // nothing now: wait for the edge
    eof,  // the peer has finished sending, in order
    failed,  // reset, timed out in the kernel, or TLS broke: the stream is of no more use
};

struct Got {
    Io io;
    std::size_t bytes = 0;
};

class Stream {
public:
    /// Takes a connected, non-blocking socket. Fails when epoll refuses it (out of memory or watches).
    static Result<Stream> adopt(Loop& loop, Fd fd, Cancellation& cancellation);

    Stream(Stream&&) noexcept;
    Stream& operator=(Stream&&) noexcept;
    ~Stream();  // closes

    bool is_open() const { return watched_ != nullptr; }
    bool is_tls() const { return tls_ != nullptr; }
    TlsSession* tls() const { return tls_.get(); }
    Loop& loop() const { return *watched_->loop; }
    Watched& watched() const { return *watched_; }
    int fd() const { return watched_->fd; }

    /// Reads what is there, at most `into.size()` bytes (which must not be 0).
    Got read(MutableBytes into);

    /// Looks at what is there without taking it; on a plain stream, what the edges have said stays as it is.
    Got peek(MutableBytes into);

    /// Sends `bytes` as far as the socket takes them and keeps the rest. Io::ok or Io::failed.
    Io write(Bytes bytes);
    bool blocked() const { return !unsent_.empty(); }
    std::size_t unsent() const { return unsent_.size() - sent_; }
    /// Sends what an earlier write kept: ok when nothing is left, again when the socket is full.
    Io flush();

    /// No more from us: close_notify on TLS, then FIN. Only when nothing is blocked. When the socket is too full for
    /// close_notify, the stream is blocked afterwards, and the flush() that sends the last of it sends the FIN.
    void shutdown_write();
    /// An immediate RST: the peer learns at once that something went wrong.
    void reset();
    /// Drops the connection; what is unsent is lost.
    void close();

    WaitAny<1> readable(Deadline deadline) { return {deadline, {{{watched_, Interest::read}}}}; }
    WaitAny<1> writable(Deadline deadline) { return {deadline, {{{watched_, Interest::write}}}}; }

    /// Writes all of it and waits until the kernel has taken it. Wait::cancelled also when the connection failed.
    Task<Wait> write_all(std::string bytes, Deadline deadline);
    /// Reads until something came: eof and failed like read(); again when the deadline passed or on cancellation.
    Task<Got> read_some(MutableBytes into, Deadline deadline);

    /// Puts TLS on the connection; the handshake is TlsSession's (io/tls.hpp). Null: takes it off again.
    void attach(std::unique_ptr<TlsSession> tls);

    /// errno of the last failure, 0 when it was not the socket's.
    int error() const { return error_; }

    /// The socket alone, for TlsSession: what came of recv and send, with the edges kept.
    Got raw_read(MutableBytes into);
    Io raw_write(Bytes bytes);

private:
    explicit Stream(Watched* watched);
    void forget_sent();

    Watched* watched_ = nullptr;
    std::unique_ptr<TlsSession> tls_;
    std::vector<std::byte> unsent_;
    std::size_t sent_ = 0;  // of unsent_
    bool end_due_ = false;  // FIN, once unsent_ has left
    int error_ = 0;
};

/// Says goodbye so that the last answer is not lost: FIN, then reads and drops what the peer still sends, until it
/// closes or the deadline passes. A close() with unread input would send RST, and that discards what the peer has not
/// read.
Task<void> close_lingering(Stream& stream, Deadline deadline);

}  // namespace sallyport::io
