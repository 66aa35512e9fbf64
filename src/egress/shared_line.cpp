#include "egress/shared_line.hpp"

#include "egress/book.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <string>

namespace sallyport::egress {

namespace {

using share::Line;
using store::EgressLine;

constexpr std::size_t fields_of_line = 5;

// What the name of a line begins with.
struct Kind {
    std::string_view front;
    bool pin;
    bool v6;
};
constexpr std::array kinds{Kind{"pin v4 ", true, false}, Kind{"pin v6 ", true, true}, Kind{"given v4 ", false, false},
                           Kind{"given v6 ", false, true}};

std::string name_of(const EgressLine& line) {
    for (const Kind& kind : kinds) {
        if (kind.pin == line.pin && kind.v6 == line.v6) return std::string(kind.front) + line.who;
    }
    std::unreachable();
}

bool is_named(const EgressLine& line) {
    if (!line.pin) return is_identity(line.who);
    const auto pin = Pin::of_subject(line.who, {});
    return pin && pin->subject() == line.who;
}

std::int64_t in_ms(Duration duration) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

std::optional<std::int64_t> end_of(const EgressLine& line, Duration remember_for) {
    if (!line.pin) return line.seen_ms + in_ms(remember_for);
    return line.source.empty() ? std::optional(line.since_ms + in_ms(Book::gone_for)) : std::nullopt;
}

std::int64_t rank_of(const EgressLine& line) { return line.pin ? line.since_ms : -line.since_ms; }

}  // namespace

Line shared_line(const EgressLine& line, Duration remember_for) {
    const auto expires = end_of(line, remember_for);
    Line out{.who = name_of(line), .rank = rank_of(line), .expires_ms = expires};
    out.text = out.who + '\t' + (line.source.empty() ? "-" : line.source) + '\t' + std::to_string(line.since_ms) +
               '\t' + std::to_string(line.seen_ms) + '\t' + (expires ? std::to_string(*expires) : "-");
    return out;
}

std::optional<SharedLine> parse_shared_line(std::string_view text) {
    const auto fields = share::fields_of(text, fields_of_line);
    if (!fields) return std::nullopt;
    const auto& field = *fields;
    const auto since = share::time_of(field[2]);
    const auto seen = share::time_of(field[3]);
    const auto expires = share::time_of(field[4]);
    if (!since || !seen || (!expires && field[4] != "-")) return std::nullopt;
    for (const Kind& kind : kinds) {
        if (!field[0].starts_with(kind.front)) continue;
        SharedLine out{.line = {.who = std::string(field[0].substr(kind.front.size())),
                                .pin = kind.pin,
                                .v6 = kind.v6,
                                .source = field[1] == "-" ? std::string() : std::string(field[1]),
                                .since_ms = *since,
                                .seen_ms = *seen},
                       .known = {}};
        out.known = {.who = std::string(field[0]), .rank = rank_of(out.line), .expires_ms = expires};
        if (!is_named(out.line) || (out.line.source.empty() && !kind.pin)) return std::nullopt;
        return out;
    }
    return std::nullopt;
}

}  // namespace sallyport::egress
