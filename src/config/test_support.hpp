// What the tests of this room share: loading a text, and problems as a listing that a table can hold.
#pragma once

#include "config/load.hpp"

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::config {

inline constexpr std::array<std::string_view, 2> presets{"mypbx", "reporting"};

inline Loaded load_here(std::string_view text) { return load_text("s.toml", text, presets); }

// "line:column: message (hint)", one a line: what the tables below hold.
inline std::string listing(const std::vector<Problem>& problems) {
    std::string out;
    for (const Problem& problem : problems) {
        out += std::to_string(problem.line) + ':' + std::to_string(problem.column) + ": " + problem.message;
        if (!problem.hint.empty()) out += " (" + problem.hint + ')';
        out += '\n';
    }
    return out;
}

inline constexpr std::string_view good_service =
    "[[service]]\nname = \"a.example\"\nprotocol = \"http\"\ntarget = \"192.0.2.1\"\n";

}  // namespace sallyport::config
