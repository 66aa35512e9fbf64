#include "config/problem.hpp"

#include "base/text.hpp"

#include <utility>

namespace sallyport::config {

namespace {

constexpr std::size_t longest_quote = 120;  // bytes

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }  // RFC 3629 section 3

std::string printable(std::string text) {
    for (char& c : text) {
        if (is_control(c) && c != '\t') c = '?';
    }
    return text;
}

// Blanks that end under the column. Tabs stay tabs, so that the caret stands right whatever a tab's width is.
std::string indent(std::string_view line, unsigned column) {
    std::string out;
    unsigned at = 1;
    for (const char c : line) {
        if (continues_character(c)) continue;
        if (at == column) break;
        out += c == '\t' ? '\t' : ' ';
        ++at;
    }
    return out;
}

Problem problem_at(const Place& place, Complaint complaint) {
    return {.file = place.file,
            .line = place.line,
            .column = place.column,
            .message = std::move(complaint.message),
            .hint = std::move(complaint.hint),
            .source_line = {}};
}

}  // namespace

std::string quote(std::string_view text) {
    if (text.size() <= longest_quote) return '"' + std::string(text) + '"';
    auto end = longest_quote;
    while (end > 0 && continues_character(text[end])) --end;
    return '"' + std::string(text.substr(0, end)) + "...\"";
}

std::string to_text(const Problem& problem, std::string_view severity) {
    std::string out = problem.file;
    if (problem.line > 0) out += ':' + std::to_string(problem.line) + ':' + std::to_string(problem.column);
    out.append(": ").append(severity).append(": ").append(printable(problem.message)) += '\n';
    if (!problem.source_line.empty()) {
        out.append("  ").append(printable(problem.source_line)) += '\n';
        out.append("  ").append(indent(problem.source_line, problem.column)) += "^\n";
    }
    if (!problem.hint.empty()) out.append("  hint: ").append(printable(problem.hint)) += '\n';
    return out;
}

void Findings::error(const Place& place, Complaint complaint) {
    errors.push_back(problem_at(place, std::move(complaint)));
}

void Findings::warning(const Place& place, Complaint complaint) {
    warnings.push_back(problem_at(place, std::move(complaint)));
}

}  // namespace sallyport::config
