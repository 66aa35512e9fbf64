// Which URLs a service admits: head match on the raw path, and refusal of paths that its target could read in another
// way than we do.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sallyport::gate::http {

/// Can this path (raw, before '?') mean something else to a target than its bytes say?
///
/// True for dot segments, also behind encoding and path parameters ("/a/..;x/"), for slashes and backslashes that are
/// encoded, backslashes, empty segments, control characters, escapes that are not two hexadecimal digits or that decode
/// to a further escape or to overlong UTF-8. Only such paths are refused before the rules are asked, and only where a
/// service has rules: without them there is nothing to get around.
bool is_ambiguous(std::string_view path);

/// Does this rule admit this path? Head match, case-sensitive; behind a rule that ends in "/" no further "/" may
/// follow.
bool admits(std::string_view rule, std::string_view path);

/// The place of the first rule that admits the path; nothing when none does.
std::optional<std::size_t> admitting_rule(std::span<const std::string> rules, std::string_view path);

/// A named list of rules, as `preset` in the configuration chooses it.
struct Preset {
    std::string_view name;
    std::string_view purpose;  // for the manual
    std::span<const std::string_view> rules;
};

std::span<const Preset> presets();

/// Null when there is none of this name.
const Preset* find_preset(std::string_view name);

}  // namespace sallyport::gate::http
