// Another program, run to its end: no shell, bounded output, a deadline.
//
// For the control loop: starting a program holds its loop until the program's file has been loaded, about a
// millisecond.
#pragma once

#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sallyport::io {

struct ProcessOptions {
    std::vector<std::string> arguments{};  // the first names the program: a path, or a file of PATH
    std::string input{};                   // what it reads from its standard input
    std::optional<std::vector<std::string>> environment{};  // "NAME=value"; none: this program's own
    std::size_t output_limit = std::size_t{1024} * 1024;  // bytes kept of each output; the rest is read and dropped
    Deadline deadline = Deadline::none;  // then SIGTERM to its process group
    Duration grace = std::chrono::seconds(2);  // from SIGTERM to SIGKILL
};

enum class ProcessEnd : std::uint8_t {
    exited,  // by itself
    signaled,  // by a signal of another's
    timed_out,  // ended by us at its deadline
    cancelled,  // ended by us on cancellation
};

struct ProcessResult {
    struct Output {
        std::string text;
        bool cut = false;  // there was more than output_limit
    };
    ProcessEnd end = ProcessEnd::exited;
    int exit_status = 0;  // where it exited, also on our SIGTERM; -1 where a signal ended it
    int signal = 0;  // the signal that ended it, or 0
    Output out;  // standard output
    Output err;  // standard error

    bool ok() const { return end == ProcessEnd::exited && exit_status == 0; }
};

/// Runs a program and waits for its end, not for that of programs which it leaves behind. It begins with descriptors
/// 0 to 2 alone, no signal blocked or ignored, in a process group of its own. A cancelled run gets SIGTERM and, after
/// the grace, SIGKILL, and the task ends when the program has. The error says why it could not be started.
/// SIGCHLD must not be ignored in this process: the kernel would keep no exit status (wait(2)).
Task<Result<ProcessResult>> run_process(Loop& loop, Cancellation& cancellation, ProcessOptions options);

}  // namespace sallyport::io
