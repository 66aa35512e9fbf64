// Signals as something to await: no handler, nothing runs at an unexpected moment (signalfd).
#pragma once

#include "base/result.hpp"
#include "io/fd.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "io/wait_any.hpp"

#include <expected>
#include <optional>
#include <span>
#include <utility>

namespace sallyport::io {

/// Blocks `signals` in the calling thread and in every thread that it starts from now on, and returns the descriptor
/// they are read from. Call it before the first thread: a thread that does not block a signal is killed by it.
Result<Fd> block_signals(std::span<const int> signals);

/// The signals of block_signals() in a loop.
class SignalReader {
public:
    static Result<SignalReader> adopt(Loop& loop, Fd fd, Cancellation& cancellation);
    SignalReader(SignalReader&& other) noexcept : watched_(std::exchange(other.watched_, nullptr)) {}
    SignalReader& operator=(SignalReader&&) = delete;
    ~SignalReader();

    /// The number of the next signal, or how the wait ended without one. A signal that was sent several times before
    /// it is read counts once (signal(7)).
    Task<std::expected<int, Wait>> next(Deadline deadline);

private:
    explicit SignalReader(Watched* watched) : watched_(watched) {}
    std::optional<int> take();

    Watched* watched_;
};

}  // namespace sallyport::io
