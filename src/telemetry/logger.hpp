// The log: data loops report records into rings of their own, any other thread logs events, and one thread formats
// both and writes them. A data loop never waits for it; what does not fit is dropped and counted.
#pragma once

#include "base/result.hpp"
#include "telemetry/format.hpp"
#include "telemetry/log_ring.hpp"
#include "telemetry/log_waker.hpp"
#include "telemetry/record.hpp"
#include "telemetry/sink.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace sallyport::telemetry {

enum class LogFormat : std::uint8_t { automatic, text, json };

/// "auto", "text" or "json". Nothing for another word.
std::optional<LogFormat> find_log_format(std::string_view name);

/// [log] of the configuration.
struct LogSettings {
    std::string node;
    std::string destination = "stdout";  // "stdout", "syslog" or a file's path
    LogFormat format = LogFormat::automatic;
    Level level = Level::info;  // of events; records have the two switches
    bool forwarded = true;
    bool refused = true;
};

/// What never reached the log, since the start.
struct LogLosses {
    std::uint64_t records = 0;  // dropped because a loop's ring was full
    std::uint64_t events = 0;   // dropped because too many waited
    std::uint64_t lines = 0;    // formatted, but the destination did not take them
};

/// Which verdicts are logged. Written by the control loop, read by every loop.
struct RecordSwitches {
    std::atomic<bool> forwarded{true};
    std::atomic<bool> refused{true};
};

/// One data loop's way into the log. Only that loop's thread may report.
class Reporter {
public:
    /// @param waker  of the thread that reads; null: nobody sleeps until something is reported
    Reporter(const RecordSwitches& switches, std::size_t ring_bytes, LogWaker* waker = nullptr)
        : switches_(switches), ring_(ring_bytes), alarm_(waker) {}

    /// Never blocks, locks or allocates. A record whose verdict is switched off goes nowhere and counts as nothing.
    void report(const Record& record);

    /// Records dropped because the ring was full. Any thread.
    std::uint64_t dropped() const { return ring_.dropped(); }

private:
    friend class Logger;
    const RecordSwitches& switches_;
    LogRing ring_;
    LogAlarm alarm_;
};

class Logger {
public:
    static constexpr std::size_t default_ring_bytes = std::size_t{1} << 20;
    static constexpr std::size_t most_waiting_events = 1024;

    /// Opens the destination and starts the thread. Fails when the destination can't be opened.
    static Result<std::unique_ptr<Logger>> open(LogSettings settings);

    /// With a sink of the caller's own, for tests.
    Logger(LogSettings settings, std::unique_ptr<Sink> sink);
    ~Logger() { stop(); }
    Logger(const Logger&) = delete;
    Logger& operator=(const Logger&) = delete;

    /// A reporter for one more data loop; valid as long as the logger. @param ring_bytes a power of two.
    Reporter& add_reporter(std::size_t ring_bytes = default_ring_bytes);

    /// Logs an event. Any thread, but not on a data loop's hot path: it locks and allocates.
    void log(Level level, std::string message, std::vector<Field> fields = {});

    /// Takes new settings, at a reload: all that is logged from now on goes out by them. Fails, and changes nothing,
    /// when a new destination can't be opened.
    Result<void> apply(LogSettings settings);

    /// Opens the log file again, after it was rotated: all that is logged from now on goes to the new one.
    void reopen();

    /// Writes what was reported so far and ends the thread. A destination that takes nothing is given up after a
    /// second, and what it did not take is counted. Twice is once.
    void stop();

    LogLosses losses() const;

    /// Does its thread sleep until something is reported or logged? So it does soon after the last of it.
    bool sleeps() const { return sleeps_.load(std::memory_order_relaxed); }

private:
    // Handed from other threads to the log's own.
    struct Inbox {
        std::vector<Event> events;
        std::optional<LogSettings> settings;
        std::unique_ptr<Sink> sink;
        bool reopen = false;
    };
    /// What one turn over everything that waits has found.
    struct Turn {
        bool all = true;  // nothing was left behind
        bool any = false;
    };

    void set_switches(const LogSettings& settings);
    void run(const std::stop_token& stop);
    void rest(bool anything_came);
    Turn drain(const std::stop_token& stop);
    Turn drain(Reporter& reporter, const std::stop_token& stop);
    void take_over(Inbox inbox, const std::stop_token& stop);
    void report_drops();
    void choose_format();
    void append(const Record& record);
    void append(const Event& event);
    void flush(const std::stop_token& stop);

    RecordSwitches switches_;
    std::atomic<Level> level_;
    std::atomic<std::uint64_t> events_dropped_{0};
    std::atomic<std::uint64_t> lines_lost_{0};
    std::atomic<bool> sleeps_{false};
    LogWaker waker_;

    mutable std::mutex mutex_;  // holds inbox_, reporters_ and destination_
    Inbox inbox_;
    std::vector<std::unique_ptr<Reporter>> reporters_;
    std::string destination_;

    // The thread's own.
    LogSettings settings_;
    std::unique_ptr<Sink> sink_;
    bool json_ = true;
    TextStyle style_;
    std::string lines_;
    std::array<std::byte, max_encoded_record> frame_;
    std::uint64_t drops_reported_ = 0;
    bool given_up_ = false;
    bool alarmed_ = false;  // the reporters' alarms are armed since the last look

    std::jthread thread_;  // last: it uses all of the above
};

}  // namespace sallyport::telemetry
