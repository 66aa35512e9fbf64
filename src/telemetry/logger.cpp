#include "telemetry/logger.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <stop_token>
#include <utility>

namespace sallyport::telemetry {

namespace {

// While records come, rings are looked at this often rather than woken for: a wake-up would cost each record a system
// call. A ring of 1 MiB holds what a loop can report meanwhile. When none has come for as long, the next one wakes.
constexpr std::chrono::milliseconds look_every{20};
constexpr std::size_t records_per_turn = 1024;  // of one ring, before the next one's turn
constexpr std::size_t flush_at = 64 * 1024;     // bytes

WallTime now() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

// no-color.org: set to anything but nothing.
bool colors_wanted() {
    const char* no_color = std::getenv("NO_COLOR");
    return no_color == nullptr || *no_color == '\0';
}

// Signals are other threads' business; SIGPIPE above all, which a reader that went away would send.
void block_signals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace

std::optional<LogFormat> find_log_format(std::string_view name) {
    constexpr std::array<std::string_view, 3> names{"auto", "text", "json"};
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) return std::nullopt;
    return static_cast<LogFormat>(found - names.begin());
}

void Reporter::report(const Record& record) {
    const auto& wanted = record.verdict == Verdict::forwarded ? switches_.forwarded : switches_.refused;
    if (!wanted.load(std::memory_order_relaxed)) return;
    std::array<std::byte, max_encoded_record> room;
    ring_.push(encode(record, room));
    alarm_.trip();
}

Result<std::unique_ptr<Logger>> Logger::open(LogSettings settings) {
    auto sink = open_sink(settings.destination);
    if (!sink) return fail(sink.error());
    return std::make_unique<Logger>(std::move(settings), std::move(*sink));
}

Logger::Logger(LogSettings settings, std::unique_ptr<Sink> sink)
    : level_(settings.level),
      destination_(settings.destination),
      settings_(std::move(settings)),
      sink_(std::move(sink)) {
    set_switches(settings_);
    choose_format();
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Reporter& Logger::add_reporter(std::size_t ring_bytes) {
    auto reporter = std::make_unique<Reporter>(switches_, ring_bytes, &waker_);
    const std::scoped_lock lock(mutex_);
    return *reporters_.emplace_back(std::move(reporter));
}

void Logger::log(Level level, std::string message, std::vector<Field> fields) {
    if (level < level_.load(std::memory_order_relaxed)) return;
    {
        const std::scoped_lock lock(mutex_);
        if (inbox_.events.size() >= most_waiting_events) {
            events_dropped_.fetch_add(1, std::memory_order_relaxed);
            return;
        }
        inbox_.events.push_back({now(), level, std::move(message), std::move(fields)});
    }
    waker_.wake();
}

Result<void> Logger::apply(LogSettings settings) {
    const std::scoped_lock lock(mutex_);
    if (settings.destination != destination_) {
        auto sink = open_sink(settings.destination);
        if (!sink) return fail(sink.error());
        inbox_.sink = std::move(*sink);
        destination_ = settings.destination;
    }
    set_switches(settings);
    inbox_.settings = std::move(settings);
    waker_.wake();
    return {};
}

void Logger::reopen() {
    const std::scoped_lock lock(mutex_);
    inbox_.reopen = true;
    waker_.wake();
}

void Logger::stop() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
}

LogLosses Logger::losses() const {
    LogLosses losses{.records = 0,
                     .events = events_dropped_.load(std::memory_order_relaxed),
                     .lines = lines_lost_.load(std::memory_order_relaxed)};
    const std::scoped_lock lock(mutex_);
    for (const auto& reporter : reporters_) losses.records += reporter->dropped();
    return losses;
}

void Logger::set_switches(const LogSettings& settings) {
    switches_.forwarded.store(settings.forwarded, std::memory_order_relaxed);
    switches_.refused.store(settings.refused, std::memory_order_relaxed);
    level_.store(settings.level, std::memory_order_relaxed);
}

void Logger::run(const std::stop_token& stop) {
    block_signals();
    const std::stop_callback wakes(stop, [this] { waker_.wake(); });
    while (true) {
        // Asked before draining: what was reported before stop() was called is in the rings by now.
        const bool last = stop.stop_requested();
        Turn turn = drain(stop);
        while (last && !turn.all) turn = drain(stop);
        if (turn.all) report_drops();
        flush(stop);
        if (last) return;
        if (turn.all) rest(turn.any);
    }
}

// Before it sleeps it arms the alarms and looks once more: what came in between has woken nobody.
void Logger::rest(bool anything_came) {
    if (anything_came) {
        waker_.wait(look_every);
    } else if (alarmed_) {
        sleeps_.store(true, std::memory_order_relaxed);
        waker_.wait(std::nullopt);
        sleeps_.store(false, std::memory_order_relaxed);
    } else {
        const std::scoped_lock lock(mutex_);
        for (const auto& reporter : reporters_) reporter->alarm_.arm();
        alarmed_ = true;
        return;
    }
    alarmed_ = false;
}

Logger::Turn Logger::drain(const std::stop_token& stop) {
    Inbox inbox;
    std::vector<Reporter*> reporters;
    {
        const std::scoped_lock lock(mutex_);
        inbox = std::exchange(inbox_, {});
        for (const auto& reporter : reporters_) reporters.push_back(reporter.get());
    }
    take_over(std::move(inbox), stop);
    Turn all;
    for (Reporter* reporter : reporters) {
        const Turn turn = drain(*reporter, stop);
        all = {.all = all.all && turn.all, .any = all.any || turn.any};
    }
    return all;
}

Logger::Turn Logger::drain(Reporter& reporter, const std::stop_token& stop) {
    for (std::size_t i = 0; i < records_per_turn; ++i) {
        const Bytes frame = reporter.ring_.pop(frame_);
        if (frame.empty()) return {.all = true, .any = i > 0};
        append(decode(frame));
        if (lines_.size() >= flush_at) flush(stop);
    }
    return {.all = false, .any = true};
}

// Changes first, then what is to be written: whatever is logged after a change goes out the new way.
void Logger::take_over(Inbox inbox, const std::stop_token& stop) {
    flush(stop);
    if (inbox.settings) {
        settings_ = std::move(*inbox.settings);
        if (inbox.sink) sink_ = std::move(inbox.sink);
        choose_format();
    }
    if (inbox.reopen) {
        if (const auto reopened = sink_->reopen(); !reopened) {
            append(Event{now(), Level::error, "log file kept open as it was", {{"error", reopened.error().message}}});
        }
    }
    for (const Event& event : inbox.events) append(event);
}

// Once the rings are empty again, so that an overload is told in one line and not in one a turn.
void Logger::report_drops() {
    const std::uint64_t dropped = losses().records;
    if (dropped == drops_reported_) return;
    append(Event{now(),
                 Level::warn,
                 "records dropped, the log could not keep up",
                 {{"count", std::to_string(dropped - drops_reported_)}}});
    drops_reported_ = dropped;
}

void Logger::choose_format() {
    const bool terminal = sink_->is_terminal();
    json_ = settings_.format == LogFormat::json || (settings_.format == LogFormat::automatic && !terminal);
    style_ = {.terminal = terminal, .colors = terminal && colors_wanted()};
}

void Logger::append(const Record& record) {
    if (json_)
        append_json(lines_, record, settings_.node);
    else
        append_text(lines_, record, style_);
}

void Logger::append(const Event& event) {
    if (json_)
        append_json(lines_, event, settings_.node);
    else
        append_text(lines_, event, style_);
}

void Logger::flush(const std::stop_token& stop) {
    if (lines_.empty()) return;
    const std::uint64_t lost =
        given_up_ ? static_cast<std::uint64_t>(std::ranges::count(lines_, '\n')) : sink_->write(lines_, stop);
    // While stopping, a destination that took nothing for its grace is not waited for again.
    given_up_ = lost > 0 && stop.stop_requested();
    lines_lost_.fetch_add(lost, std::memory_order_relaxed);
    lines_.clear();
}

}  // namespace sallyport::telemetry
