#include "share/line.hpp"

#include "base/text.hpp"

namespace sallyport::share {

std::optional<std::vector<std::string_view>> fields_of(std::string_view text, std::size_t count) {
    if (text.size() > most_of_line) return std::nullopt;
    std::vector<std::string_view> fields;
    while (fields.size() + 1 < count) {
        const std::size_t end = text.find('\t');
        if (end == std::string_view::npos) return std::nullopt;
        fields.push_back(text.substr(0, end));
        text.remove_prefix(end + 1);
    }
    fields.push_back(text);
    return fields;
}

std::optional<std::int64_t> time_of(std::string_view text) {
    constexpr std::int64_t most_ms = std::int64_t{200} * 365 * 86'400'000;  // beyond it nanoseconds don't reach
    const auto value = parse_number<std::int64_t>(text);
    return value && *value >= 0 && *value <= most_ms ? value : std::nullopt;
}

std::string without_controls(std::string text) {
    for (char& one : text) {
        if (is_control(one)) one = ' ';
    }
    return text;
}

}  // namespace sallyport::share
