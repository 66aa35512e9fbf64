#include "guard/shared_line.hpp"

#include "base/text.hpp"

#include <cstddef>

namespace sallyport::guard {

namespace {

using share::time_of;
using share::without_controls;

constexpr std::size_t fields_of_line = 9;

}  // namespace

share::Line line_of(const store::GuardRow& row) {
    std::string text = row.who + '\t' + row.verdict + '\t' + row.origin + '\t' + std::to_string(row.since_ms) + '\t';
    text += row.expires_ms ? std::to_string(*row.expires_ms) : "-";
    text += '\t' + row.protocol + '\t' + std::to_string(row.count) + '\t';
    text += without_controls(row.node) + '\t' + without_controls(row.reason);
    return {.who = row.who, .rank = row.since_ms, .expires_ms = row.expires_ms, .text = std::move(text)};
}

std::optional<store::GuardRow> parse_line(std::string_view text) {
    const auto fields = share::fields_of(text, fields_of_line);
    if (!fields) return std::nullopt;
    const auto& field = *fields;
    const auto since = time_of(field[3]);
    const auto expires = time_of(field[4]);
    const auto count = parse_number<std::int64_t>(field[6]);
    if (!since || !count || (!expires && field[4] != "-")) return std::nullopt;
    return store::GuardRow{.who = std::string(field[0]),
                           .verdict = std::string(field[1]),
                           .origin = std::string(field[2]),
                           .since_ms = *since,
                           .expires_ms = expires,
                           .reason = without_controls(std::string(field[8])),
                           .protocol = std::string(field[5]),
                           .count = *count,
                           .node = without_controls(std::string(field[7]))};
}

}  // namespace sallyport::guard
