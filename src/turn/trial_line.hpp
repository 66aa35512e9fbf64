// The way to a server that is being tested: a socket of UDP, with DTLS on it or not, or a connection, with TLS on it or
// not. Internal to the self-test.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "io/cancellation.hpp"
#include "io/dtls.hpp"
#include "io/loop.hpp"
#include "io/stream.hpp"
#include "io/task.hpp"
#include "io/udp.hpp"
#include "turn/trial.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace sallyport::turn {

class Line {
public:
    using Take = std::function<bool(Bytes)>;

    /// @param test  lives as long as the line
    Line(io::Loop& loop, const SelfTest& test) : loop_(loop), test_(test) {}
    Line(const Line&) = delete;
    Line& operator=(const Line&) = delete;
    /// Says goodbye, where the transport has a word for it.
    ~Line();

    /// The error says what the server did not do.
    io::Task<Result<void>> open();
    /// Sends, over UDP again and again, until something comes for which `take` holds. False: it never came.
    /// @param bytes  live until then. A request that is repeated is the same one (RFC 8489 section 6.2.1)
    io::Task<bool> exchange(Bytes bytes, Take take);
    /// Has it been told that nobody listens there?
    bool was_refused() const { return was_refused_; }
    void send(Bytes bytes);

private:
    Result<void> open_udp();
    io::Task<Result<void>> shake_hands_dtls();
    io::Task<Result<void>> open_stream();
    io::Task<bool> hear(const Take& take, io::Deadline deadline);
    bool hear_datagrams(const Take& take, bool& taken);
    bool hear_stream(const Take& take, bool& taken);
    io::DtlsSession::Send sender();

    io::Loop& loop_;
    const SelfTest& test_;
    io::Cancellation cancellation_;
    std::optional<io::UdpSocket> socket_;
    std::unique_ptr<io::DtlsSession> session_;
    std::optional<io::Stream> stream_;
    io::DatagramBatch batch_;
    std::vector<std::byte> rest_;
    bool was_refused_ = false;
};

}  // namespace sallyport::turn
