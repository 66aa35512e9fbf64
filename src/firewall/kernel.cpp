#include "firewall/kernel.hpp"

#include "base/text.hpp"
#include "firewall/programs.hpp"

#include <sstream>

namespace sallyport::firewall {

namespace {

const std::string our_table = "table inet " + std::string(table_name);

KernelError error_of(const Ran& ran, const std::string& what) {
    const bool refused = ran.err.contains("Operation not permitted");
    return {.message = what + ": " + (ran.err.empty() ? "exit status " + std::to_string(ran.status) : ran.err),
            .not_permitted = refused};
}

KernelResult<std::string> listed(std::vector<std::string> options) {
    auto ran = run_nft(std::move(options));
    if (!ran) return fail(KernelError{.message = ran.error().message});
    if (!ran->ok()) return fail(error_of(*ran, "nft can't list what is loaded"));
    return std::move(ran->out);
}

KernelResult<std::optional<std::string>> list_own(bool still) {
    // Listing a table that is not there is an error of nft's own words; asking for the names of all is none.
    const auto tables = listed({"list", "tables"});
    if (!tables) return fail(tables.error());
    std::istringstream lines(*tables);
    bool found = false;
    for (std::string line; std::getline(lines, line);) found = found || trim(line) == our_table;
    if (!found) return std::nullopt;
    std::vector<std::string> options;
    if (still) options.emplace_back("-s");
    for (const char* word : {"list", "table", "inet"}) options.emplace_back(word);
    options.emplace_back(table_name);
    auto text = listed(std::move(options));
    if (!text) return fail(text.error());
    return std::move(*text);
}

}  // namespace

KernelResult<std::optional<std::string>> list_table() { return list_own(false); }

KernelResult<std::optional<std::string>> list_table_still() {
    auto text = list_own(true);
    if (!text || !*text) return text;
    return without_learned(**text);
}

KernelResult<std::string> list_ruleset() { return listed({"-s", "list", "ruleset"}); }

KernelResult<void> load(const std::string& text) {
    const auto ran = run_nft({"-f", "-"}, text);
    if (!ran) return fail(KernelError{.message = ran.error().message});
    if (!ran->ok()) return fail(error_of(*ran, "the kernel does not take the rules"));
    return {};
}

KernelResult<std::string> rehearse(const std::string& text) {
    const auto nft = find_nft();
    if (!nft) return fail(KernelError{.message = nft.error().message});
    // Two programs in one namespace: an nft that has just loaded a table lists it without its rules.
    const std::string both = "\"$0\" -f - && \"$0\" -s list " + our_table;
    const auto ran = run_program({"unshare", "--net", "sh", "-c", both, *nft}, text);
    if (!ran) return fail(KernelError{.message = ran.error().message});
    if (!ran->ok())
        return fail(error_of(*ran, "the rules can't be loaded, which was tried in a namespace of their own"));
    return without_learned(ran->out);
}

std::string restoring(const std::optional<std::string>& table) {
    return our_table + "\ndelete " + our_table + '\n' + table.value_or("");
}

Counts counts_of(std::string_view listing) {
    Counts counts;
    std::istringstream lines{std::string(listing)};
    std::string name;
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string first;
        words >> first;
        if (first == "counter") {
            words >> name;
        } else if (first == "packets" && !name.empty()) {
            Count count;
            std::string bytes;
            if (words >> count.packets >> bytes >> count.bytes) counts[name] = count;
            name.clear();
        } else if (first == "}") {
            name.clear();
        }
    }
    return counts;
}

std::string without_learned(std::string_view listing) {
    std::istringstream lines{std::string(listing)};
    std::string out;
    bool learned = false;  // within a set that packets fill, or the map of clients as they were placed
    bool elements = false;
    for (std::string line; std::getline(lines, line);) {
        const auto text = trim(line);
        if (text.ends_with('{'))
            learned = text.starts_with("set wanted") || text.starts_with("map " + std::string(placed_clients));
        if (learned && text.starts_with("elements = ")) elements = true;
        if (!elements) out += line + '\n';
        if (elements && text.ends_with('}')) elements = false;
    }
    return out;
}

}  // namespace sallyport::firewall
