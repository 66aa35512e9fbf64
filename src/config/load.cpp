#include "config/load.hpp"

#include "base/text.hpp"
#include "config/checks.hpp"
#include "config/dns_checks.hpp"
#include "config/document.hpp"
#include "config/egress_checks.hpp"
#include "config/firewall_checks.hpp"
#include "config/push_checks.hpp"
#include "config/schema.hpp"
#include "config/turn_checks.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <map>
#include <system_error>
#include <tuple>
#include <utility>

namespace sallyport::config {

namespace {

constexpr std::size_t largest_file = 8U << 20;      // bytes: room for lists of some 100 000 networks
constexpr std::size_t longest_line_shown = 400;     // bytes
constexpr std::size_t most_problems = 1000;         // of each kind: more tells nobody more

// The table that knows this key, for a key that stands in the wrong one.
const Table* owner_of(std::string_view key) {
    const auto at = std::ranges::find_if(schema(), [key](const Table& table) { return table.find(key) != nullptr; });
    return at == schema().end() ? nullptr : &*at;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> known) {
    const auto near = nearest(word, known);
    return near.empty() ? "" : "did you mean " + quote(near) + '?';
}

// Collects the tables of one file after the other, then what is wrong between them.
class Loader {
public:
    explicit Loader(std::span<const std::string_view> presets) : presets_(presets) {}

    void read_file(const std::filesystem::path& path);
    void read_folder(const std::filesystem::path& folder);
    void read_text(std::string file, std::string text);
    void complain(const std::string& file, Complaint complaint) { findings_.error({file, 0, 0}, std::move(complaint)); }
    Loaded finish();

private:
    void read_top_level(const std::string& file, const Entry& entry);
    void read_tables(const std::string& file, const Table& table, const Entry& entry);
    void read_one(const std::string& file, const Table& table, const Value& value);
    GivenKeys read_keys(const std::string& file, const Table& table, const Value::Table& entries, const Slot& slot);
    bool read_key(const std::string& file, const Row& row, const Entry& entry, const Slot& slot);
    void unknown_key(const Place& place, const Table& table, const std::string& key);
    void unknown_table(const Place& place, const Entry& entry);

    std::span<const std::string_view> presets_;
    Config config_;
    Findings findings_;
    std::vector<SourceFile> files_;
    std::map<std::string_view, Place> singles_;  // where each [table] stands
    bool syntax_error_ = false;
};

void Loader::read_file(const std::filesystem::path& path) {
    const std::string file = path.string();
    errno = 0;
    std::ifstream in(path, std::ios::binary);
    std::string text(largest_file + 1, '\0');
    if (in) in.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!in.is_open() || in.bad()) {
        const int error = errno;
        return complain(file, {"can't be read: " + std::generic_category().message(error),
                               error == ENOENT ? "name the file with --config; examples/ has some to begin with" : ""});
    }
    text.resize(static_cast<std::size_t>(in.gcount()));
    if (text.size() > largest_file) return complain(file, {"is larger than 8 MiB"});
    text.shrink_to_fit();
    read_text(file, std::move(text));
}

void Loader::read_folder(const std::filesystem::path& folder) {
    std::error_code error;
    std::vector<std::filesystem::path> paths;
    for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
        const auto name = at->path().filename().string();
        if (name.ends_with(".toml") && !name.starts_with('.')) paths.push_back(at->path());
    }
    if (error && error != std::errc::no_such_file_or_directory)
        return complain(folder.string(), {"can't be read: " + error.message()});
    std::ranges::sort(paths);
    for (const auto& path : paths) read_file(path);
}

void Loader::read_text(std::string file, std::string text) {
    if (syntax_error_) return;
    const auto& source = files_.emplace_back(std::move(file), std::move(text));
    auto parsed = parse_toml(source.text());
    if (!parsed) {
        syntax_error_ = true;
        findings_ = {};  // what else was found may follow from this, and is told once this is mended
        const auto& [position, complaint] = parsed.error();
        return findings_.error({source.file(), position.line, position.column}, complaint);
    }
    const std::string name = source.file();
    for (const Entry& entry : *parsed) read_top_level(name, entry);
}

void Loader::read_top_level(const std::string& file, const Entry& entry) {
    for (const Table& table : schema()) {
        if (table.name == entry.key && !table.name.contains('.')) return read_tables(file, table, entry);
    }
    unknown_table({file, entry.position.line, entry.position.column}, entry);
}

void Loader::read_tables(const std::string& file, const Table& table, const Entry& entry) {
    const Place place{file, entry.value.position.line, entry.value.position.column};
    const auto* list = entry.value.get_if<Value::List>();
    const bool is_table = entry.value.get_if<Value::Table>() != nullptr;
    const bool tables =
        list && std::ranges::all_of(*list, [](const Value& one) { return one.get_if<Value::Table>() != nullptr; });
    if (table.repeated && tables) {
        for (const Value& one : *list) read_one(file, table, one);
        return;
    }
    if (table.repeated || !is_table) {
        return findings_.error(
            place, {quote(entry.key) + " must be " + (table.repeated ? "a list of tables" : "one table") + ", not " +
                        std::string(entry.value.kind()),
                    "write " + table.header()});
    }
    // What stands within it may stand in other files than its own keys do.
    const auto stands_within = [&table](const Entry& one) { return table.inner(one.key) != nullptr; };
    const auto& entries = *entry.value.get_if<Value::Table>();
    const bool outline = !entries.empty() && std::ranges::all_of(entries, stands_within);
    const auto [first, fresh] = outline ? std::pair(singles_.end(), true) : singles_.try_emplace(table.name, place);
    if (!fresh) {
        findings_.error(place, {table.header() + " stands twice",
                                "first at " + first->second.file + ':' + std::to_string(first->second.line)});
        return;
    }
    read_one(file, table, entry.value);
}

void Loader::read_one(const std::string& file, const Table& table, const Value& value) {
    const Place place{file, value.position.line, value.position.column};
    const Slot slot = table.open(config_, place);
    const GivenKeys given = read_keys(file, table, *value.get_if<Value::Table>(), slot);
    for (const Row& row : table.rows) {
        if (!row.limits.required || std::ranges::find(given, &row, &GivenKey::row) != given.end()) continue;
        findings_.error(place, {table.header() + " has no " + quote(row.key), std::string(row.meaning)});
    }
    if (auto* const* service = std::get_if<Service*>(&slot)) finish_service(**service, given, presets_, findings_);
}

GivenKeys Loader::read_keys(const std::string& file, const Table& table, const Value::Table& entries,
                            const Slot& slot) {
    GivenKeys given;
    for (const Entry& entry : entries) {
        const Place place{file, entry.position.line, entry.position.column};
        if (const Table* inner = table.inner(entry.key)) {
            read_tables(file, *inner, entry);
            continue;
        }
        const Row* row = table.find(entry.key);
        if (!row)
            unknown_key(place, table, entry.key);
        else
            given.push_back({row, place, read_key(file, *row, entry, slot)});
    }
    return given;
}

bool Loader::read_key(const std::string& file, const Row& row, const Entry& entry, const Slot& slot) {
    const auto errors = findings_.errors.size();
    row.store({row.key, row.limits, entry.value, file, findings_}, slot);
    return findings_.errors.size() == errors;
}

void Loader::unknown_key(const Place& place, const Table& table, const std::string& key) {
    const Table* owner = owner_of(key);
    std::vector<std::string_view> known;
    for (const Row& row : table.rows) known.push_back(row.key);
    findings_.error(place, {"unknown key " + quote(key) + " in " + table.header(),
                            owner ? "it belongs into " + owner->header() : did_you_mean(key, known)});
}

void Loader::unknown_table(const Place& place, const Entry& entry) {
    const bool is_table = entry.value.get_if<Value::Table>() || entry.value.get_if<Value::List>();
    const Table* owner = owner_of(entry.key);
    if (!is_table || owner) {
        return findings_.error(
            place, {quote(entry.key) + " stands outside any table", owner ? "it belongs into " + owner->header() : ""});
    }
    std::vector<std::string_view> known;
    for (const Table& table : schema()) known.push_back(table.name);
    findings_.error(place, {"unknown table " + quote(entry.key), did_you_mean(entry.key, known)});
}

Loaded Loader::finish() {
    if (!syntax_error_) {
        check_dns(config_, findings_);
        check_egress(config_, findings_);
        check_push(config_, findings_);
        check_turn(config_, findings_);
        check_firewall(config_, findings_);
        check_all(config_, findings_);
    }

    Loaded loaded;
    loaded.files = std::move(files_);
    const auto order = [&](const Problem& problem) {
        const auto at = std::ranges::find(loaded.files, problem.file, &SourceFile::file);
        return std::tuple(at - loaded.files.begin(), problem.line, problem.column, std::string_view(problem.message));
    };
    const auto settle = [&](std::vector<Problem>& problems) {
        std::ranges::sort(problems, {}, order);
        if (problems.size() > most_problems) {
            problems.resize(most_problems);
            problems.push_back(
                loaded.problem({problems.back().file, 0, 0}, {"there are more, of which nothing is said here"}));
        }
        for (Problem& problem : problems) {
            problem = loaded.problem({problem.file, problem.line, problem.column}, {problem.message, problem.hint});
        }
        return std::move(problems);
    };
    loaded.firewall_state = config_.firewall.state_dir.value;
    loaded.errors = settle(findings_.errors);
    loaded.warnings = settle(findings_.warnings);
    if (loaded.errors.empty()) loaded.config = std::move(config_);
    return loaded;
}

}  // namespace

SourceFile::SourceFile(std::string file, std::string text)
    : file_(std::move(file)), text_(std::move(text)), starts_{0} {
    for (auto at = text_.find('\n'); at != std::string::npos; at = text_.find('\n', at + 1)) starts_.push_back(at + 1);
}

std::string_view SourceFile::line(unsigned number) const {
    if (number == 0 || number > starts_.size()) return {};
    std::string_view line = std::string_view(text_).substr(starts_[number - 1]);
    line = line.substr(0, line.find_first_of("\r\n"));
    return line.size() > longest_line_shown ? std::string_view() : line;
}

Problem Loaded::problem(const Place& place, Complaint complaint) const {
    const auto source = std::ranges::find(files, place.file, &SourceFile::file);
    return {.file = place.file,
            .line = place.line,
            .column = place.column,
            .message = std::move(complaint.message),
            .hint = std::move(complaint.hint),
            .source_line = std::string(source == files.end() ? std::string_view() : source->line(place.line))};
}

Loaded load(const std::filesystem::path& file, std::span<const std::string_view> presets) {
    Loader loader(presets);
    loader.read_file(file);
    loader.read_folder(file.parent_path() / "conf.d");
    return loader.finish();
}

Loaded load_text(std::string_view name, std::string_view text, std::span<const std::string_view> presets) {
    Loader loader(presets);
    loader.read_text(std::string(name), std::string(text));
    return loader.finish();
}

}  // namespace sallyport::config
