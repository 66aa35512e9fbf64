#include "config/document.hpp"

// Compiled in here rather than linked: without exceptions, and with the nesting held low. Its assertions are switched
// off whatever the build: toml++ 3.3 asserts that "[" is followed by a key, which a file need not obey ("[="), and
// where NDEBUG is set it lets the compiler assume so. The code after each assertion answers with a proper error.
#undef NDEBUG
#define TOML_ASSERT(expression) static_cast<void>(0)
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ENABLE_WINDOWS_COMPAT 0
#define TOML_MAX_NESTED_VALUES 8
#include <toml++/impl/forward_declarations.h>
// Its test for blanks declares most letters beyond ASCII unreachable, U+00FC among them: there the answer is no.
#undef TOML_UNREACHABLE
#define TOML_UNREACHABLE return false
#include <toml++/impl/unicode.h>
#undef TOML_UNREACHABLE
#define TOML_UNREACHABLE __builtin_unreachable()
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <optional>

namespace sallyport::config {

namespace {

// An inner table of ours holds lists of strings: table, list of tables, table, list, string.
constexpr int deepest = 5;

// A dotted key nests a table for each dot, and toml++ 3.3 frees nested tables by recursion without a bound: a
// long enough "a.a.a..." overflows the stack. A key stands on one line (TOML 1.0, "Keys"), so bounding the dots of a
// line bounds the depth, to this times the eight levels that values may nest and the two of headers and keys.
constexpr std::ptrdiff_t most_dots_a_line = 1000;

Position position_of(const toml::source_region& region) { return {region.begin.line, region.begin.column}; }

bool before(const Position& a, const Position& b) { return a.line != b.line ? a.line < b.line : a.column < b.column; }

Value convert(const toml::node& node, int depth);

Value::Table convert_table(const toml::table& table, int depth) {
    Value::Table out;
    for (const auto& [key, node] : table) {
        out.push_back({std::string(key.str()), position_of(key.source()), convert(node, depth + 1)});
    }
    std::ranges::sort(out, before, &Entry::position);
    return out;
}

Value convert(const toml::node& node, int depth) {
    Value value{.data = Value::Other{}, .position = position_of(node.source())};
    if (depth > deepest) return value;
    if (const auto* boolean = node.as_boolean()) value.data = boolean->get();
    if (const auto* integer = node.as_integer()) value.data = integer->get();
    if (const auto* text = node.as_string()) value.data = text->get();
    if (const auto* table = node.as_table()) value.data = convert_table(*table, depth);
    if (const auto* array = node.as_array()) {
        Value::List list;
        for (const auto& element : *array) list.push_back(convert(element, depth + 1));
        value.data = std::move(list);
    }
    return value;
}

std::optional<SyntaxError> crowded_line(std::string_view text) {
    unsigned line = 1;
    while (!text.empty()) {
        const auto row = text.substr(0, text.find('\n'));
        if (std::ranges::count(row, '.') > most_dots_a_line) {
            return SyntaxError{{line, 1},
                               {"this line is too long to be read", "break it: a list may span several lines"}};
        }
        text.remove_prefix(std::min(text.size(), row.size() + 1));
        ++line;
    }
    return std::nullopt;
}

SyntaxError explain(const toml::parse_error& error) {
    constexpr std::string_view lead = "Error while parsing ";
    constexpr std::array bare_values{"boolean", "integer", "decimal", "float",
                                     "value",   "date",    "time",    "key-value pair: expected a comment"};
    std::string_view text = error.description();
    if (text.starts_with(lead)) text.remove_prefix(lead.size());
    const bool bare =
        std::ranges::any_of(bare_values, [text](std::string_view what) { return text.starts_with(what); });
    return {position_of(error.source()),
            {"this is not TOML: " + std::string(text),
             bare ? "text, durations, addresses and paths stand in double quotes" : ""}};
}

}  // namespace

std::string_view Value::kind() const {
    static constexpr std::array<std::string_view, 6> kinds{
        "a float, a date or nested tables", "a boolean", "an integer", "a string", "a list", "a table"};
    return kinds[data.index()];
}

Result<Value::Table, SyntaxError> parse_toml(std::string_view text) {
    if (auto crowded = crowded_line(text)) return fail(std::move(*crowded));
    const auto parsed = toml::parse(text);
    if (!parsed) return fail(explain(parsed.error()));
    return convert_table(parsed.table(), 0);
}

}  // namespace sallyport::config
