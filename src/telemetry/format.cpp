#include "telemetry/format.hpp"

#include "telemetry/escape.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <concepts>
#include <ctime>

namespace sallyport::telemetry {

namespace {

constexpr std::string_view red = "\x1b[31m";
constexpr std::string_view green = "\x1b[32m";
constexpr std::string_view yellow = "\x1b[33m";
constexpr std::string_view dim = "\x1b[2m";
constexpr std::string_view plain = "\x1b[0m";

void append_number(std::string& out, std::unsigned_integral auto value) {
    std::array<char, 20> text;
    const auto end = std::to_chars(text.begin(), text.end(), value).ptr;
    out.append(text.data(), end);
}

// Milliseconds, to the microsecond: "12.4", "0.081".
void append_milliseconds(std::string& out, Duration duration) {
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
    std::array<char, 40> text;
    const auto end =
        std::to_chars(text.begin(), text.end(), static_cast<double>(micros) / 1000, std::chars_format::fixed).ptr;
    out.append(text.data(), end);
}

// One JSON object on one line: its members, then close().
class JsonLine {
public:
    explicit JsonLine(std::string& out) : out_(out) { out_ += '{'; }

    void text(std::string_view key, std::string_view value) {
        begin(key);
        append_json_string(out_, value);
    }
    void text_or_null(std::string_view key, std::string_view value) {
        if (value.empty())
            null(key);
        else
            text(key, value);
    }
    void text_if_any(std::string_view key, std::string_view value) {
        if (!value.empty()) text(key, value);
    }
    void null(std::string_view key) {
        begin(key);
        out_ += "null";
    }
    void boolean(std::string_view key, bool value) {
        begin(key);
        out_ += value ? "true" : "false";
    }
    void number(std::string_view key, std::unsigned_integral auto value) {
        begin(key);
        append_number(out_, value);
    }
    void milliseconds(std::string_view key, Duration value) {
        begin(key);
        append_milliseconds(out_, value);
    }
    void close() { out_ += "}\n"; }

private:
    void begin(std::string_view key) {
        if (!first_) out_ += ',';
        first_ = false;
        out_.append("\"").append(key).append("\":");
    }

    std::string& out_;
    bool first_ = true;
};

// Local time of day, for who sits before the terminal: "12:00:03.250".
void append_time_of_day(std::string& out, WallTime time) {
    using namespace std::chrono;
    const auto whole = floor<seconds>(time);
    const std::time_t since_epoch = whole.time_since_epoch().count();
    std::tm local{};
    localtime_r(&since_epoch, &local);
    std::array<char, 16> text;
    out.append(text.data(), std::strftime(text.data(), text.size(), "%H:%M:%S.", &local));
    const auto millis = static_cast<unsigned>(duration_cast<milliseconds>(time - whole).count());
    for (const unsigned unit : {100U, 10U, 1U}) out += static_cast<char>('0' + millis / unit % 10);
}

void append_time(std::string& out, WallTime time, TextStyle style) {
    if (style.colors) out += dim;
    if (style.terminal)
        append_time_of_day(out, time);
    else
        out += to_rfc3339(time);
    if (style.colors) out += plain;
    out += ' ';
}

void append_colored(std::string& out, std::string_view word, std::string_view color, TextStyle style) {
    if (style.colors) out += color;
    out += word;
    if (style.colors) out += plain;
}

// "hq.example.com GET /path": what was asked for.
void append_subject(std::string& out, const Record& record) {
    const std::string_view asked = record.looked_for.empty() ? record.service : record.looked_for;
    append_printable(out, asked.empty() ? "-" : asked);
    for (const std::string_view part : {record.method, record.url}) {
        if (part.empty()) continue;
        out += ' ';
        append_printable(out, part);
    }
}

// ": service.unknown, no service has this name (nearest: hq.example.com; detail)": why it ended so.
void append_reason(std::string& out, const Record& record) {
    if (record.reason != Reason::ok) {
        const ReasonText& text = text_of(record.reason);
        out.append(": ").append(text.code).append(", ").append(text.cause);
    }
    if (record.nearest.empty() && record.detail.empty()) return;
    out += " (";
    if (!record.nearest.empty()) {
        out += "nearest: ";
        append_printable(out, record.nearest);
        if (!record.detail.empty()) out += "; ";
    }
    append_printable(out, record.detail);
    out += ')';
}

// ", 200, 61 bytes in, 14 out, 12.4 ms": what it came to.
void append_sums(std::string& out, const Record& record) {
    if (record.status != 0) {
        out += ", ";
        append_number(out, record.status);
    }
    out += ", ";
    append_number(out, record.bytes_in);
    out += " bytes in, ";
    append_number(out, record.bytes_out);
    out += " out, ";
    append_milliseconds(out, record.duration);
    out += " ms";
}

std::string_view color_of(Level level) {
    constexpr std::array<std::string_view, level_names.size()> colors{dim, green, yellow, red};
    return colors[static_cast<std::size_t>(level)];
}

}  // namespace

std::optional<Level> find_level(std::string_view name) {
    const auto found = std::ranges::find(level_names, name);
    if (found == level_names.end()) return std::nullopt;
    return static_cast<Level>(found - level_names.begin());
}

void append_json(std::string& out, const Record& record, std::string_view node) {
    JsonLine line(out);
    line.text("time", to_rfc3339(record.time));
    line.text("event", "record");
    line.text("node", node);
    line.text("protocol", name(record.protocol));
    line.text("listener", record.listener);
    line.text("client", record.client.to_string());
    line.text_or_null("service", record.service);
    line.text_or_null("looked_for", record.looked_for);
    line.text_if_any("nearest", record.nearest);
    line.text_or_null("target", record.target);
    line.boolean("tls_client", record.tls_client);
    if (record.target.empty())
        line.null("tls_target");
    else
        line.boolean("tls_target", record.tls_target);
    line.text_if_any("method", record.method);
    line.text_if_any("url", record.url);
    if (record.status != 0) line.number("status", record.status);
    line.text("verdict", name(record.verdict));
    line.text("reason", code(record.reason));
    line.text_if_any("detail", record.detail);
    line.number("bytes_in", record.bytes_in);
    line.number("bytes_out", record.bytes_out);
    line.milliseconds("duration_ms", record.duration);
    line.close();
}

void append_json(std::string& out, const Event& event, std::string_view node) {
    JsonLine line(out);
    line.text("time", to_rfc3339(event.time));
    line.text("event", "message");
    line.text("node", node);
    line.text("level", name(event.level));
    line.text("message", event.message);
    for (const Field& field : event.fields) line.text(field.key, field.value);
    line.close();
}

void append_text(std::string& out, const Record& record, TextStyle style) {
    const bool forwarded = record.verdict == Verdict::forwarded;
    append_time(out, record.time, style);
    append_colored(out, name(record.verdict), forwarded ? green : red, style);
    out.append(" ").append(name(record.protocol)).append(" ").append(record.client.to_string()).append(" ");
    append_subject(out, record);
    if (!record.target.empty()) {
        out += " -> ";
        append_printable(out, record.target);
    }
    if (forwarded) append_sums(out, record);
    append_reason(out, record);
    out += '\n';
}

void append_text(std::string& out, const Event& event, TextStyle style) {
    append_time(out, event.time, style);
    append_colored(out, name(event.level), color_of(event.level), style);
    out += ' ';
    append_printable(out, event.message);
    for (std::string_view separator = ": "; const Field& field : event.fields) {
        out.append(separator).append(field.key).append("=");
        append_printable(out, field.value);
        separator = ", ";
    }
    out += '\n';
}

}  // namespace sallyport::telemetry
