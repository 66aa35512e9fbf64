// The time lines of the HTML report: a line for each client, its connections on it, and the seconds it waited in vain.
#pragma once

#include "diagnose/report.hpp"

#include <string>
#include <string_view>

namespace sallyport::diagnose {

/// Fit for text and attributes of HTML. What is not printable ASCII becomes visible as \xNN.
std::string to_html(std::string_view text);

/// One inline SVG for each of the clients that lost time or have a failed connection, at most eight.
void append_time_lines(std::string& out, const Report& report);

}  // namespace sallyport::diagnose
