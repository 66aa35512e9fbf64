// The lines of the book as gateways share them. A pin holds that is the newer, and of what was given the older, so that
// who has an address keeps it whichever gateway he comes by.
#pragma once

#include "base/time.hpp"
#include "share/line.hpp"
#include "store/egress_lines.hpp"

#include <optional>
#include <string_view>

namespace sallyport::egress {

inline constexpr std::string_view shared_key = "sallyport:egress";

/// The line, its fields between tabs, to be told to others.
/// @param remember_for  what was given is forgotten when nobody asked for it in this time
share::Line shared_line(const store::EgressLine& line, Duration remember_for);

struct SharedLine {
    store::EgressLine line;
    share::Line known;  // without its text
};
/// What such a text says. Nothing where it is no such line: names are canonical; addresses and times are not judged.
std::optional<SharedLine> parse_shared_line(std::string_view text);

}  // namespace sallyport::egress
