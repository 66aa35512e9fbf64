// Lines of lists that gateways share: what the sharing itself knows of one, and what reading their texts takes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::share {

inline constexpr std::size_t most_of_line = 2048;  // octets; longer ones are nobody's

struct Line {
    std::string who;  // its name within the list
    std::int64_t rank = 0;  // of two lines by one name the higher holds
    std::optional<std::int64_t> expires_ms = {};  // Unix time; nothing: never
    std::string text = {};  // as it stands in the Redis; left out of a line that was read there

    bool operator==(const Line&) const = default;
};

/// What stands between tabs, if there are `count` fields. The last one may hold tabs.
std::optional<std::vector<std::string_view>> fields_of(std::string_view text, std::size_t count);
/// Milliseconds of Unix time; nothing where this program can't count with it.
std::optional<std::int64_t> time_of(std::string_view text);
/// Each control character made a blank.
std::string without_controls(std::string text);

}  // namespace sallyport::share
