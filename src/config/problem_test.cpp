#include "config/problem.hpp"

#include "config/test_support.hpp"

#include <gtest/gtest.h>

using namespace sallyport;
using namespace sallyport::config;

TEST(Load, NamesEachBadValueWithItsPlace) {
    struct Case {
        const char* text;
        const char* listing;
    };
    const Case cases[] = {
        {"[node]\nthraeds = 1\n", "2:1: unknown key \"thraeds\" in [node] (did you mean \"threads\"?)\n"},
        {"[node]\nxyzzy = 1\n", "2:1: unknown key \"xyzzy\" in [node]\n"},
        {"[node]\nhttps = \":443\"\n", "2:1: unknown key \"https\" in [node] (it belongs into [listen])\n"},
        {"[node]\nthreads = \"2\"\n", "2:11: threads: must be an integer, not a string\n"},
        {"[node]\nthreads = -1\n", "2:11: threads: -1 is out of range (from 0 to 1024)\n"},
        {"[node]\nthreads = 1025\n", "2:11: threads: 1025 is out of range (from 0 to 1024)\n"},
        {"[node]\nname = \"\"\n", "2:8: name: must not be empty\n"},
        {"[node]\ndrain_timeout = 30\n", "2:17: drain_timeout: must be a duration, not an integer (such as \"30s\")\n"},
        {"[node]\ndrain_timeout = \"30\"\n",
         "2:17: drain_timeout: \"30\" has no unit (write \"30s\", say: a whole number and one of ms, s, m, h, d)\n"},
        {"[node]\ndrain_timeout = \"2d\"\n", "2:17: drain_timeout: \"2d\" is out of range (from 0s to 1d)\n"},
        {"[node]\nnat_map = \"203.0.113.10=fd00::1\"\n",
         "2:11: nat_map: \"203.0.113.10=fd00::1\" is not a mapping of two addresses of one family "
         "(the form is \"public=own\", such as \"203.0.113.10=172.16.0.5\")\n"},
        {"[log]\nformat = \"jsn\"\n",
         "2:10: format: \"jsn\" is not known here (did you mean \"json\"? known: \"auto\", \"text\", \"json\")\n"},
        {"[log]\nrefused = \"yes\"\n",
         "2:11: refused: must be a boolean, not a string (true or false, without quotes)\n"},
        {"[admin]\nsocket = \"a\\u0000b\"\n", "2:10: socket: a path has no NUL\n"},
        {"[admin]\nmetrics_from = [\"10.0.0.0/8\", \"::/129\", 3]\n",
         "2:31: metrics_from: \"::/129\" is not a network (such as \"10.0.0.0/8\", \"2001:db8::/32\" or one address)\n"
         "2:41: metrics_from: must be a network, not an integer (such as \"10.0.0.0/8\")\n"},
        {"[listen]\nhttp = 80\n", "2:8: http: must be a listen address, not an integer (such as \":443\")\n"},
        {"[listen]\nhttp = [\"80\", \":0\", \":65536\", \"*:80\", \"host:80\", \"192.0.2.1:0\"]\n",
         "2:9: http: \"80\" is not an address to listen on (such as \":443\" (all addresses), \"192.0.2.1:443\" or "
         "\"[2001:db8::1]:443\")\n"
         "2:15: http: \":0\" is not an address to listen on (such as \":443\" (all addresses), \"192.0.2.1:443\" or "
         "\"[2001:db8::1]:443\")\n"
         "2:21: http: \":65536\" is not an address to listen on (such as \":443\" (all addresses), \"192.0.2.1:443\" "
         "or \"[2001:db8::1]:443\")\n"
         "2:31: http: \"*:80\" is not an address to listen on (such as \":443\" (all addresses), \"192.0.2.1:443\" or "
         "\"[2001:db8::1]:443\")\n"
         "2:39: http: \"host:80\" is not an address to listen on (such as \":443\" (all addresses), \"192.0.2.1:443\" "
         "or \"[2001:db8::1]:443\")\n"
         "2:50: http: \"192.0.2.1:0\" is not an address to listen on (such as \":443\" (all addresses), "
         "\"192.0.2.1:443\" or \"[2001:db8::1]:443\")\n"},
        {"[[certificate]]\nname = \"a\"\n",
         "1:1: [[certificate]] has no \"chain\" (The certificate and those that signed it, PEM, its own first.)\n"
         "1:1: [[certificate]] has no \"key\" (Its private key, PEM.)\n"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.text);
        const auto loaded = load_here(c.text);
        EXPECT_EQ(listing(loaded.errors), c.listing);
        EXPECT_FALSE(loaded.config);
    }
}

TEST(Load, NamesEachBadTableWithItsPlace) {
    struct Case {
        const char* text;
        const char* listing;
    };
    const Case cases[] = {
        {"[servise]\n", "1:2: unknown table \"servise\" (did you mean \"service\"?)\n"},
        {"threads = 2\n", "1:1: \"threads\" stands outside any table (it belongs into [node])\n"},
        {"xyzzy = 2\n", "1:1: \"xyzzy\" stands outside any table\n"},
        {"[service]\nname = \"a\"\n", "1:1: \"service\" must be a list of tables, not a table (write [[service]])\n"},
        {"service = [1]\n", "1:11: \"service\" must be a list of tables, not a list (write [[service]])\n"},
        {"[[node]]\nname = \"a\"\n", "1:1: \"node\" must be one table, not a list (write [node])\n"},
        {"node = 1\n", "1:8: \"node\" must be one table, not an integer (write [node])\n"},
        {"[node.deep.er.still.more]\na = 1\n", "1:7: unknown key \"deep\" in [node]\n"},
        {"[node]\nname = edge\n",
         "2:8: this is not TOML: value: could not determine value type (text, durations, addresses and paths stand in "
         "double quotes)\n"},
        {"[node]\nname = \"a\"\nname = \"b\"\n",
         "3:8: this is not TOML: key-value pair: cannot redefine existing string 'name'\n"},
        {"[node]\n\xC3\xBC = 1\n",
         "2:1: this is not TOML: root table: expected keys, tables, whitespace or comments, saw '\xC3\xBC'\n"},
        {"[node]\nn\xC3\xBC = 1\n", "2:2: this is not TOML: key-value pair: expected '=', saw '\xC3\xBC'\n"},
        {"[\xC3\xBC]\n",
         "1:2: this is not TOML: key: expected bare key starting character or string delimiter, saw '\xC3\xBC'\n"},
        {"\xE3\x81\x82 = 1\n",
         "1:1: this is not TOML: root table: expected keys, tables, whitespace or comments, saw '\xE3\x81\x82'\n"},
        {"[node]\nname\xC2\xA0= 1\n", "2:5: this is not TOML: key: expected space or tab, saw '\\u00A0'\n"},
        {"[=]\n", "1:2: this is not TOML: key: expected bare key starting character or string delimiter, saw '='\n"},
        {"[\f", "1:2: this is not TOML: key: expected bare key starting character or string delimiter, saw '\\f'\n"},
        {"[node]\nthraeds = 1\n[node]\n",
         "3:1: this is not TOML: table header: cannot redefine existing table 'node'\n"},
        {"[node]\nname = \"\xFF\"\n", "2:8: this is not TOML: Encountered invalid utf-8 sequence\n"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.text);
        EXPECT_EQ(listing(load_here(c.text).errors), c.listing);
    }
}

TEST(Problem, PrintsTheLineAndACaretUnderItsCharacter) {
    const auto loaded = load_here(
        "[log]\n\t\"\xC3\xBC\xC3\xBC\" = 1\n[listen]\nhttp = [\":80\", \"\xC3\xBC\", \":80\"]\n[admin]\nlisten = "
        "\"1\"\n");
    ASSERT_EQ(loaded.errors.size(), 4U);
    EXPECT_EQ(to_text(loaded.errors[0], "error"),
              "s.toml:2:2: error: unknown key \"\xC3\xBC\xC3\xBC\" in [log]\n  \t\"\xC3\xBC\xC3\xBC\" = 1\n  \t^\n");
    EXPECT_EQ(to_text(loaded.errors[2], "warning"),
              "s.toml:4:21: warning: http: \":80\" is taken by http \":80\"\n"
              "  http = [\":80\", \"\xC3\xBC\", \":80\"]\n"
              "                      ^\n"
              "  hint: at s.toml:4: a port has one use\n");
}

TEST(Problem, KeepsTabsUnderTabsWhateverStandsBeforeThem) {
    EXPECT_EQ(to_text({.file = "f", .line = 1, .column = 3, .message = "m", .hint = "", .source_line = "\xC3\xBC\tx"},
                      "error"),
              "f:1:3: error: m\n  \xC3\xBC\tx\n   \t^\n");
}

TEST(Problem, WritesNoControlCharactersAndNoEndlessLines) {
    EXPECT_EQ(
        to_text({.file = "f", .line = 1, .column = 2, .message = "a\x1B[2J", .hint = "b\r", .source_line = "x\x07y"},
                "error"),
        "f:1:2: error: a?[2J\n  x?y\n   ^\n  hint: b?\n");
    EXPECT_EQ(quote(std::string(119, 'a') + "\xC3\xBC"), '"' + std::string(119, 'a') + "...\"");
    const auto loaded = load_here("[node]\nx = \"" + std::string(1000, 'y') + "\"\n");
    EXPECT_EQ(loaded.errors.at(0).source_line, "");
}
