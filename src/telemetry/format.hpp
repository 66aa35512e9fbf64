// Log lines: records and events as JSON for programs and as text for people. Each call appends one whole line.
#pragma once

#include "base/time.hpp"
#include "telemetry/record.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::telemetry {

enum class Level : std::uint8_t { debug, info, warn, error };

inline constexpr std::array<std::string_view, 4> level_names{"debug", "info", "warning", "error"};
constexpr std::string_view name(Level level) { return level_names[static_cast<std::size_t>(level)]; }

/// The level of this name. Nothing when none has it.
std::optional<Level> find_level(std::string_view name);

/// One thing that an event says beside its message. The key is a literal: snake_case, none of time, event, node,
/// level, message.
struct Field {
    std::string_view key;
    std::string value;
};

/// What happened to the gateway itself: "configuration reloaded", "listener added".
struct Event {
    WallTime time;
    Level level = Level::info;
    std::string message;
    std::vector<Field> fields;
};

/// How text lines look: on a terminal the local time of day, elsewhere RFC 3339 in UTC.
struct TextStyle {
    bool terminal = false;
    bool colors = false;
};

void append_json(std::string& out, const Record& record, std::string_view node);
void append_json(std::string& out, const Event& event, std::string_view node);
void append_text(std::string& out, const Record& record, TextStyle style);
void append_text(std::string& out, const Event& event, TextStyle style);

}  // namespace sallyport::telemetry
