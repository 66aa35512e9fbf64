// From files to Config, or to all that is wrong with them at once. Looks at files and at nothing else: no sockets, no
// environment, no users, no network.
#pragma once

#include "config/config.hpp"
#include "config/problem.hpp"

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::config {

/// A file that was read, kept so that what is found later (a taken port, a wrong key file) can quote its line.
class SourceFile {
public:
    SourceFile(std::string file, std::string text);

    const std::string& file() const { return file_; }
    const std::string& text() const { return text_; }
    /// Line `number`, from 1, without its end. Empty when there is none, or when it is too long to be worth printing.
    std::string_view line(unsigned number) const;

private:
    std::string file_;
    std::string text_;
    std::vector<std::size_t> starts_;  // of each line
};

struct Loaded {
    std::optional<Config> config;  // only without errors
    std::vector<Problem> errors;  // in the order of the files
    std::vector<Problem> warnings;
    std::vector<SourceFile> files;  // in the order of reading
    std::filesystem::path firewall_state;  // [firewall] state_dir, also where the rest has errors: one goes back by it

    /// A problem of the caller's own, with the line that it points to.
    Problem problem(const Place& place, Complaint complaint) const;
};

/// Reads `file` and, beside it, conf.d/*.toml in the order of their names. Each file is at most 8 MiB.
/// @param presets  the names of URL lists that a service's `preset` may hold
Loaded load(const std::filesystem::path& file, std::span<const std::string_view> presets);

/// Reads one text as if it stood in the file `name`, against whose folder relative paths are resolved.
Loaded load_text(std::string_view name, std::string_view text, std::span<const std::string_view> presets);

}  // namespace sallyport::config
