#include "config/schema.hpp"

#include "config/document.hpp"
#include "config/load.hpp"
#include "config/reference.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <ranges>
#include <set>
#include <sstream>

using namespace sallyport;
using namespace sallyport::config;

namespace {

const std::string file = "s.toml";

// Each row of the schema with its table, for tests that walk it all.
template <class Visit>
void for_each_row(Visit visit) {
    for (const Table& table : schema()) {
        for (const Row& row : table.rows) {
            SCOPED_TRACE(std::string(table.name) + '.' + std::string(row.key));
            visit(table, row);
        }
    }
}

Findings store(const Row& row, const Slot& slot, const std::string& value) {
    const auto parsed = parse_toml("value = " + value + "\n");
    EXPECT_TRUE(parsed) << value;
    Findings findings;
    if (parsed) row.store({row.key, row.limits, parsed->front().value, file, findings}, slot);
    return findings;
}

bool unchanged(const Slot& slot) {
    return std::visit(
        [](const auto* table) {
            using T = std::remove_cvref_t<decltype(*table)>;
            if constexpr (std::same_as<T, Certificate>)
                return true;  // it has no defaults
            else
                return *table == T{};
        },
        slot);
}

// A value that the row takes and that is not its default: of a word, the first other one.
std::string other_value(const Row& row) {
    for (const auto word : row.words | std::views::reverse) {  // the first one is the default where none is written
        if (!row.default_text.contains(word) || row.default_text.starts_with('[')) return '"' + std::string(word) + '"';
    }
    if (row.key == "redis") return "\"redis://192.0.2.7\"";
    if (row.type == "boolean") return row.default_text == "true" ? "false" : "true";
    static constexpr std::pair<std::string_view, const char*> samples[] = {
        {"integer", "7"},
        {"port", "7"},
        {"addresses", "\"192.0.2.7\""},
        {"bit rate", "\"7k\""},
        {"ports", "7"},
        {"proxies", "\"http://192.0.2.7:7\""},
        {"addresses", "\"192.0.2.7\""},
        {"port range", "\"7-77\""},
        {"interfaces", "\"eth7\""},
        {"address and port", "\"192.0.2.7:7\""},
        {"duration", "\"7s\""},
        {"address", "\"192.0.2.7\""},
        {"addresses", "\"192.0.2.7\""},
        {"name servers", "\"192.0.2.7\""},
        {"domain names", "\"seven.example\""},
        {"networks", "\"::1\""},
        {"network", "\"::1\""},
        {"listen address", "\"192.0.2.7:7\""},
        {"listen addresses", "\"192.0.2.7:7\""},
        {"targets", "\"::1\""},
        {"mappings", "\"203.0.113.7=192.0.2.7\""},
        {"health check", "\"http /seven\""},
    };
    for (const auto& [type, sample] : samples) {
        if (row.type == type) return sample;
    }
    return "\"/seven\"";  // strings, paths, log destinations
}

}  // namespace

TEST(Schema, NamesEachTableAndKeyOnceAndExplainsIt) {
    std::set<std::string_view> tables;
    for (const Table& table : schema()) {
        EXPECT_TRUE(tables.insert(table.name).second) << table.name;
        EXPECT_FALSE(table.intro.empty());
    }

    std::set<std::string> keys;
    for_each_row([&](const Table& table, const Row& row) {
        EXPECT_TRUE(keys.insert(std::string(table.name) + '.' + std::string(row.key)).second);
        EXPECT_FALSE(row.meaning.empty());
        EXPECT_TRUE(row.meaning.ends_with('.'));
        EXPECT_FALSE(row.meaning.contains('|')) << "it stands in a Markdown table";
        EXPECT_FALSE(row.type.empty());
        EXPECT_EQ(table.find(row.key), &row);
        EXPECT_TRUE(!row.limits.required || row.default_text.empty());
    });
}

TEST(Schema, ShowsTheDefaultsThatTheProgramHas) {
    for_each_row([](const Table& table, const Row& row) {
        if (row.default_text.empty()) return;
        Config config;
        const Slot slot = table.open(config, {});
        const auto findings = store(row, slot, std::string(row.default_text));
        EXPECT_TRUE(findings.errors.empty()) << findings.errors.front().message;
        EXPECT_TRUE(unchanged(slot));
    });
}

TEST(Schema, StoresEachKeyInItsOwnMember) {
    for_each_row([](const Table& table, const Row& row) {
        Config config;
        const Slot slot = table.open(config, {});
        const auto findings = store(row, slot, other_value(row));
        EXPECT_TRUE(findings.errors.empty()) << findings.errors.front().message;
        if (!std::holds_alternative<Certificate*>(slot)) EXPECT_FALSE(unchanged(slot)) << other_value(row);
    });
}

TEST(Schema, RefusesAWrongTypeInEveryKey) {
    for_each_row([](const Table& table, const Row& row) {
        Config config;
        const Slot slot = table.open(config, {});
        for (const char* wrong : {"1.5", "2026-01-01", "{ a = 1 }"}) {
            const auto findings = store(row, slot, wrong);
            ASSERT_EQ(findings.errors.size(), 1U) << wrong;
            EXPECT_TRUE(findings.errors.front().message.starts_with(std::string(row.key) + ": must be a"))
                << findings.errors.front().message;
        }
        EXPECT_TRUE(unchanged(slot));
    });
}

TEST(Schema, GivesExamplesThatLoad) {
    std::string all;
    for (const Table& table : schema()) all += std::string(table.example) + '\n';
    const auto loaded = load_text("/etc/sallyport/sallyport.toml", all, {});
    for (const auto& problem : loaded.errors) ADD_FAILURE() << to_text(problem, "error");
    for (const auto& problem : loaded.warnings) ADD_FAILURE() << to_text(problem, "warning");
}

TEST(Reference, IsThePageInDocs) {
    const std::string page = SALLYPORT_SOURCE_DIR "/docs/configuration.md";
    if (std::getenv("SALLYPORT_WRITE_REFERENCE")) std::ofstream(page) << reference_markdown();
    std::stringstream written;
    written << std::ifstream(page).rdbuf();
    EXPECT_EQ(written.str(), reference_markdown()) << "write it anew: SALLYPORT_WRITE_REFERENCE=1 config_test";
}

TEST(Reference, TellsWhatAKeyTakes) {
    const auto text = reference_markdown();
    for (const char* line : {
             "| `threads` | integer, 0 to 1024 | `0` |",
             "| `drain_timeout` | duration, 0s to 1d | `\"30s\"` |",
             "| `format` | word: `auto`, `text`, `json` | `\"auto\"` |",
             "| `protocol` | word: `http`, `sip`, `ldap`, `h323`, `tls` | required |",
             "| `allow_from` | networks |  |",
             "| `enforce` | word: `accept`, `nftables` | `\"accept\"` |",
         }) {
        EXPECT_TRUE(text.contains(line)) << line;
    }
}
