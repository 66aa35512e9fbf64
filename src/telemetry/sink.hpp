// Where log lines go. A sink is used by the log's one thread alone, so it may be slow; it may not hang for ever once
// that thread is asked to stop.
#pragma once

#include "base/result.hpp"
#include "telemetry/format.hpp"

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

namespace sallyport::telemetry {

class Sink {
public:
    virtual ~Sink() = default;

    /// Takes one or more whole lines, each with its newline. Answers how many lines were lost: what can't be written
    /// is given up, at once on an error, and a second after `stop` was requested on a reader that takes nothing.
    virtual std::uint64_t write(std::string_view lines, const std::stop_token& stop) = 0;

    /// Opens the file again by its name, after it was rotated. On an error the old one stays in use.
    virtual Result<void> reopen() { return {}; }

    virtual bool is_terminal() const { return false; }
};

/// @param destination "stdout", "syslog", or the path of a file, which is created with mode 0640 when it is missing.
Result<std::unique_ptr<Sink>> open_sink(const std::string& destination);

/// Writes to a descriptor that stays the caller's, as stdout does.
std::unique_ptr<Sink> descriptor_sink(int fd);

}  // namespace sallyport::telemetry
