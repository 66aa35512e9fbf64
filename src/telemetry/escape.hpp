// Text from outside, made fit for a log line: it can't end the line, move a terminal's cursor or break the JSON.
#pragma once

#include <string>
#include <string_view>

namespace sallyport::telemetry {

/// For people: printable ASCII as it is, a backslash doubled, every other byte as \xNN.
void append_printable(std::string& out, std::string_view text);

/// A JSON string with its quotes (RFC 8259 section 7). Valid UTF-8 stays, controls (C0, DEL, C1) become \u00NN, and
/// a byte that is not UTF-8 is written as the four characters \xNN (its backslash escaped), so that none is lost.
void append_json_string(std::string& out, std::string_view text);

}  // namespace sallyport::telemetry
