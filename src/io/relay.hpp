// Bytes both ways between two streams until both directions have ended: the heart of the gateway's speed.
//
// Each direction reads into the loop's one large buffer and writes at once; what the other side does not take is kept
// by its stream, and nothing more is read for it until that is gone. A half-close is passed on, a reset is passed on as
// a reset, and after a fair share of bytes the relay lets the loop's other connections run.
#pragma once

#include "io/stream.hpp"
#include "io/task.hpp"

#include <cstddef>
#include <cstdint>

namespace sallyport::io {

/// Looks at what passes, message by message, in a protocol that it knows. It passes on itself what may go on, so that
/// nothing gets through before it was looked at.
class RelayWatch {
public:
    virtual ~RelayWatch() = default;
    /// Bytes that came from one side, on their way to the other. False: the relay ends here, and what the watch has
    /// written to the client is still sent.
    virtual bool from_client(Bytes bytes, Stream& client, Stream& target) = 0;
    virtual bool from_target(Bytes bytes, Stream& client, Stream& target) = 0;
    /// The target has ended, and nothing more will come: what was held back of its last message passes now, or never.
    virtual void target_ended(Stream& client);
};

/// Slows a relay down: no more is read, from either side, than is granted.
class RelayPace {
public:
    struct Grant {
        std::size_t bytes = 0;  // 0: none before `again`
        SteadyTime again{};  // soon: until then nobody looks at the streams
    };

    /// @param cancellation  ends a pause early, and the relay with it
    explicit RelayPace(Cancellation& cancellation) : cancellation_(cancellation) {}
    virtual ~RelayPace() = default;
    /// What was granted and did not come.
    virtual void give_back(std::size_t bytes) = 0;

    /// Bytes of one read from now on; 0: it is time for a pause.
    std::size_t ask_again(SteadyTime now) { return (granted_ = ask(now)).bytes; }
    const Grant& granted() const { return granted_; }  // the last time
    Cancellation& cancellation() const { return cancellation_; }

protected:
    virtual Grant ask(SteadyTime now) = 0;

private:
    Cancellation& cancellation_;
    Grant granted_;
};

enum class RelayEnd : std::uint8_t {
    both_closed,  // each side ended in order
    client_failed,  // reset or broken
    target_failed,
    idle,  // nothing moved within the idle time
    refused,  // the watch said so
    cancelled,
};

struct RelayLimits {
    Duration idle{0};  // 0: may idle for ever
    Duration half_closed{0};  // how long one side may go on after the other has ended; 0: for ever
    RelayPace* pace = nullptr;  // null: as fast as it goes
};

struct Relayed {
    std::uint64_t to_target = 0;  // bytes
    std::uint64_t to_client = 0;
};

/// @param relayed  added to as the bytes pass, so that who looks at a connection of days sees how it goes.
/// @param watch    null: nobody looks.
Task<RelayEnd> relay(Stream& client, Stream& target, RelayLimits limits, Relayed& relayed, RelayWatch* watch = nullptr);

}  // namespace sallyport::io
