// The opening of a connection that is routed once: what the client sends until it is known where all of it goes, kept
// whole, because the target is to see every byte of it.
#pragma once

#include "base/bytes.hpp"
#include "gate/refusal.hpp"
#include "gate/session.hpp"
#include "io/stream.hpp"
#include "io/task.hpp"
#include "telemetry/reason.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace sallyport::gate {

enum class Came : std::uint8_t {
    more,
    closed,     // no more will come
    reset,
    late,       // no first byte, or no whole message, in time
    cancelled,
};

/// What a record says of an end that is none of the gateway's choosing.
telemetry::Reason end_reason(Came came, const Session& session);

class Opening {
public:
    static constexpr std::chrono::seconds first_byte_within{10};
    static constexpr std::chrono::seconds whole_message_within{10};  // from its first byte
    static constexpr std::chrono::seconds goodbye_within{2};

    /// @param most  bytes to read at once
    Opening(Session& session, io::Stream& client, std::size_t most)
        : session_(session), client_(client), most_(most), deadline_(client.loop().in(first_byte_within)) {}

    /// The handshake of TLS where the connection begins with one. False: the story is told.
    io::Task<bool> begin();
    /// The handshake of TLS. False: the story is told.
    io::Task<bool> secure();

    /// A new message is expected: the times begin anew, as they do behind a handshake.
    void expect_message() {
        deadline_ = client_.loop().in(first_byte_within);
        begun_ = false;
    }
    /// Waits for more bytes and keeps them.
    io::Task<Came> more();

    Bytes bytes() const { return bytes_; }
    bool empty() const { return bytes_.empty(); }
    /// Drops what stands at the front.
    void take(std::size_t count) { bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(count)); }
    void clear() { bytes_.clear(); }
    std::uint64_t received() const { return received_; }

    /// Says something on the way, which records count.
    void say(Bytes answer) {
        client_.write(answer);
        sent_ += answer.size();
    }
    std::uint64_t sent() const { return sent_; }
    /// The record of a connection that ends without having been routed.
    void record(telemetry::Reason reason, std::string_view detail) const;
    /// The same, and a reset: there are no words for this end.
    void reset(telemetry::Reason reason, std::string_view detail);
    /// Resets what is of no protocol that waits for a first message: a PROXY header of a stranger, TLS on a plain port.
    /// False: it is something else.
    bool reset_foreign();
    /// Says `answer`, where there is one, records why, and closes so that it arrives.
    io::Task<void> refuse(Bytes answer, Refusal about);

private:
    Session& session_;
    io::Stream& client_;
    std::size_t most_;
    io::Deadline deadline_;
    bool begun_ = false;  // the first byte is there; what is taken off the front prolongs nothing
    std::vector<std::byte> bytes_;  // what has come and is not dealt with
    std::uint64_t received_ = 0;  // bytes, in all
    std::uint64_t sent_ = 0;  // likewise
};

}  // namespace sallyport::gate
