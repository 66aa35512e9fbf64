#include "io/stream.hpp"

#include "io/sockets.hpp"

#include "io/tls.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace sallyport::io {

Result<Stream> Stream::adopt(Loop& loop, Fd fd, Cancellation& cancellation) {
    Watched* watched = loop.watch(fd.get(), cancellation, true);
    if (watched == nullptr) return fail(std::string("a connection can't be watched by epoll: ") + std::strerror(errno));
    fd.release();
    return Stream(watched);
}

Stream::Stream(Watched* watched) : watched_(watched) {}

Stream::Stream(Stream&& other) noexcept
    : watched_(std::exchange(other.watched_, nullptr)),
      tls_(std::move(other.tls_)),
      unsent_(std::move(other.unsent_)),
      sent_(other.sent_),
      end_due_(other.end_due_),
      error_(other.error_) {
    if (tls_) tls_->moved_to(*this);
}

Stream& Stream::operator=(Stream&& other) noexcept {
    if (this != &other) {
        close();
        watched_ = std::exchange(other.watched_, nullptr);
        tls_ = std::move(other.tls_);
        unsent_ = std::move(other.unsent_);
        sent_ = other.sent_;
        end_due_ = other.end_due_;
        error_ = other.error_;
        if (tls_) tls_->moved_to(*this);
    }
    return *this;
}

Stream::~Stream() { close(); }

void Stream::close() {
    if (watched_ == nullptr) return;
    const int fd = watched_->fd;
    watched_->loop->unwatch(std::exchange(watched_, nullptr));
    ::close(fd);
    tls_.reset();
    unsent_ = {};
}

void Stream::reset() {
    if (watched_ == nullptr) return;
    reset_when_closed(watched_->fd);
    close();
}

Got Stream::raw_read(MutableBytes into) {
    for (;;) {
        const ssize_t count = watched_->loop->system_calls().recv(watched_->fd, into.data(), into.size(), 0);
        if (count > 0) {
            const auto bytes = static_cast<std::size_t>(count);
            // A short read has drained the socket, unless the end of the stream is still to be read.
            if (bytes < into.size() && !watched_->hung_up) watched_->readable = false;
            return {Io::ok, bytes};
        }
        // The kernel tells a reset once, be it to a send, and an end from then on: that end is not in order.
        if (count == 0) return {error_ == 0 ? Io::eof : Io::failed};
        if (errno == EINTR) continue;
        if (errno == EAGAIN) {
            watched_->readable = false;
            return {Io::again};
        }
        error_ = errno;
        return {Io::failed};
    }
}

Got Stream::peek(MutableBytes into) {
    if (tls_) return tls_->peek(into);
    const ssize_t count = watched_->loop->system_calls().recv(watched_->fd, into.data(), into.size(), MSG_PEEK);
    if (count > 0) return {Io::ok, static_cast<std::size_t>(count)};
    if (count == 0) return {Io::eof};
    if (errno == EAGAIN || errno == EINTR) return {Io::again};
    error_ = errno;
    return {Io::failed};
}

Io Stream::raw_write(Bytes bytes) {
    std::size_t done = 0;
    while (done < bytes.size() && watched_->writable && !blocked()) {
        const ssize_t count =
            watched_->loop->system_calls().send(watched_->fd, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
        if (count >= 0) {
            done += static_cast<std::size_t>(count);
            if (done < bytes.size()) watched_->writable = false;  // a short write: the socket is full
        } else if (errno == EAGAIN) {
            watched_->writable = false;
        } else if (errno != EINTR) {
            error_ = errno;
            return Io::failed;
        }
    }
    forget_sent();
    unsent_.insert(unsent_.end(), bytes.begin() + static_cast<std::ptrdiff_t>(done), bytes.end());
    return Io::ok;
}

// A stream that is written to before it has run dry, again and again, would else keep all that it ever sent. What is
// moved is less than what has been sent since the last time.
void Stream::forget_sent() {
    if (sent_ <= unsent()) return;
    unsent_.erase(unsent_.begin(), unsent_.begin() + static_cast<std::ptrdiff_t>(sent_));
    sent_ = 0;
}

Got Stream::read(MutableBytes into) { return tls_ ? tls_->read(into) : raw_read(into); }

Io Stream::write(Bytes bytes) { return tls_ ? tls_->write(bytes) : raw_write(bytes); }

Io Stream::flush() {
    while (blocked()) {
        const ssize_t count =
            watched_->loop->system_calls().send(watched_->fd, unsent_.data() + sent_, unsent(), MSG_NOSIGNAL);
        if (count >= 0) {
            sent_ += static_cast<std::size_t>(count);
            if (sent_ == unsent_.size()) {
                unsent_ = {};  // an idle connection owns no memory
                sent_ = 0;
                if (end_due_) ::shutdown(watched_->fd, SHUT_WR);
            }
        } else if (errno == EAGAIN) {
            watched_->writable = false;
            return Io::again;
        } else if (errno != EINTR) {
            error_ = errno;
            return Io::failed;
        }
    }
    return Io::ok;
}

void Stream::shutdown_write() {
    if (tls_) tls_->notify_close();
    if (blocked())
        end_due_ = true;
    else
        ::shutdown(watched_->fd, SHUT_WR);
}

void Stream::attach(std::unique_ptr<TlsSession> tls) {
    tls_ = std::move(tls);
    if (tls_) tls_->moved_to(*this);
}

Task<Wait> Stream::write_all(std::string bytes, Deadline deadline) {
    Io io = write(as_bytes(bytes));
    while (io != Io::failed && blocked()) {
        const Wait waited = co_await writable(deadline);
        if (waited != Wait::ready) co_return waited;
        io = flush();
    }
    co_return io == Io::failed ? Wait::cancelled : Wait::ready;
}

Task<Got> Stream::read_some(MutableBytes into, Deadline deadline) {
    for (;;) {
        const Got got = read(into);
        if (got.io != Io::again) co_return got;
        const Wait waited = co_await readable(deadline);
        if (waited != Wait::ready) co_return Got{Io::again};
    }
}

namespace {

// False when the rest can't leave: the deadline, cancellation, a failure.
Task<bool> sends_the_rest(Stream& stream, Deadline deadline) {
    while (stream.blocked()) {
        const Io flushed = stream.flush();
        if (flushed == Io::failed) co_return false;
        if (flushed == Io::ok) break;
        const Wait waited = co_await stream.writable(deadline);
        if (waited != Wait::ready) co_return false;
    }
    co_return true;
}

Task<void> drops_the_rest(Stream& stream, Deadline deadline) {
    for (;;) {
        // What comes is dropped, so it can be read past TLS.
        const Got got = stream.raw_read(stream.loop().buffer());
        if (got.io == Io::eof || got.io == Io::failed) co_return;
        if (got.io == Io::ok) {
            // Who never stops sending must not hold up the others, nor outlive the deadline.
            co_await Yield{stream.loop()};
            if (stream.watched().cancelled || stream.loop().now() >= deadline.when()) co_return;
            continue;
        }
        const Wait waited = co_await stream.readable(deadline);
        if (waited != Wait::ready) co_return;
    }
}

}  // namespace

Task<void> close_lingering(Stream& stream, Deadline deadline) {
    bool sent = co_await sends_the_rest(stream, deadline);
    if (sent) {
        stream.shutdown_write();
        sent = co_await sends_the_rest(stream, deadline);  // close_notify, on a full socket
    }
    if (sent) co_await drops_the_rest(stream, deadline);
    stream.close();
}

}  // namespace sallyport::io
