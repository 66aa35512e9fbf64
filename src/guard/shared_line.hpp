// The guard's rows as lines that gateways share. A row that was taken away stays there until its entry would have
// expired, with the verdict "lifted".
#pragma once

#include "share/line.hpp"
#include "store/guard_entries.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace sallyport::guard {

inline constexpr std::string_view shared_key = "sallyport:guard";
inline constexpr std::string_view lifted = "lifted";  // as a row's verdict: the entry is gone

/// The row, its fields between tabs, to be told to others. The newer of a network holds.
share::Line line_of(const store::GuardRow& row);
/// What such a text says. Nothing where it is no such line; what its fields mean is not judged.
std::optional<store::GuardRow> parse_line(std::string_view text);

}  // namespace sallyport::guard
