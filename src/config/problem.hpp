// What is wrong in a configuration, said so that an admin can mend it: where, what, the line itself, and a hint.
#pragma once

#include "config/place.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sallyport::config {

/// What is wrong with a value, before it is known where the value stands.
struct Complaint {
    std::string message;
    std::string hint = {};

    bool operator==(const Complaint&) const = default;
};

struct Problem {
    std::string file;
    unsigned line = 0;    // 0: the file as a whole
    unsigned column = 0;  // in characters, as in Place
    std::string message;  // one sentence, no period
    std::string hint;     // how to mend it; may be empty
    std::string source_line;
};

/// In double quotes, and cut where it is longer than a line should be.
std::string quote(std::string_view text);

/// "file:line:column: error: message", the line with a caret under the column, "hint: ...". Ends in a newline.
/// Control characters become "?": a file can't write escape sequences to a terminal.
/// @param severity  "error" or "warning"
std::string to_text(const Problem& problem, std::string_view severity);

/// Everything found so far. Reading goes on after an error, so that an admin sees all of them at once.
struct Findings {
    std::vector<Problem> errors;
    std::vector<Problem> warnings;

    void error(const Place& place, Complaint complaint);
    void warning(const Place& place, Complaint complaint);
};

}  // namespace sallyport::config
