#include "config/reference.hpp"

#include "base/time.hpp"
#include "config/schema.hpp"
#include "config/units.hpp"

#include <algorithm>
#include <limits>

namespace sallyport::config {

namespace {

constexpr std::string_view preface = R"(# Configuration

<!-- Written by the program from its schema (src/config/schema.cpp); a test holds the two together. -->

`sallyport run` reads `/etc/sallyport/sallyport.toml`, or the file given with `-c`, and then `conf.d/*.toml` beside it in
the order of their names. The files are [TOML](https://toml.io/en/v1.0.0); together they are one configuration:

- `[table]` stands once in all files, `[[table]]` and `[[table.inner]]` once for each thing.
- What is not configured is not served: no key in `[listen]`, no port.
- An unknown key, a wrong value, a name or port used twice is an error with file, line and column. `sallyport check` shows
  all of them at once; a configuration with errors is not taken up, neither at the start nor by a reload.

How values are written:

| Type | In the file |
|---|---|
| boolean | `true` or `false` |
| integer, port | `8080` |
| string, word | `"text"` |
| duration | `"500ms"`, `"30s"`, `"10m"`, `"2h"`, `"7d"` |
| path | `"edge.pem"`: a relative one begins at the folder of the file that names it |
| address | `"192.0.2.1"`, `"2001:db8::1"` |
| network | `"10.0.0.0/8"`, `"2001:db8::/32"`, or one address |
| listen address | `":443"`: every address, IPv4 and IPv6; `"0.0.0.0:443"`: IPv4 alone; `"[::]:443"`: IPv6 alone; `"192.0.2.1:443"`, `"[2001:db8::1]:443"`: one address |
| target | `"172.16.0.10"`, `"2001:db8::10"`, `"pbx.example.com"`, `"builtin:welcome"` |
| mapping | `"203.0.113.10=172.16.0.5"`: public address, own address |
| name server | `"9.9.9.9"`, `"[2620:fe::fe]:5353"`; by TLS with the name that its certificate bears: `"tls://1.1.1.1#one.one.one.one"` |
| domain name | `"hq.example.com"`; where a key takes patterns: `"*.example.com"` |
| proxy | `"http://proxy.example:3128"`, `"socks5://user:password@192.0.2.1:1080"` |
| bit rate | `"500k"`, `"20M"`, `"1G"`: bits a second; `"0"`: no limit |
| port range | `"49152-65535"` |
| interface | `"eth0"`, as `ip link` names it |
| address and port | `"172.16.0.40:88"`, `"[2001:db8::40]:88"` |

A type in the plural takes one value or a list: `http = ":80"` or `http = ["192.0.2.1:80", "[2001:db8::1]:80"]`.
)";

std::string range_of(const Row& row) {
    const auto bound = [&row](std::int64_t value) {
        return row.scale == Scale::duration ? to_text(Duration(value)) : std::to_string(value);
    };
    if (row.scale == Scale::none) return {};
    if (row.limits.least == 0 && row.limits.most == std::numeric_limits<std::uint32_t>::max()) return {};
    return ", " + bound(row.limits.least) + " to " + bound(row.limits.most);
}

// "word: `auto`, `text`, `json`", "integer, 0 to 1024": what a value may be.
std::string type_of(const Row& row) {
    std::string out = std::string(row.type) + range_of(row);
    char lead = ':';
    for (const auto word : row.words) {
        (out += lead).append(" `").append(word) += '`';
        lead = ',';
    }
    return out;
}

std::string line_of(const Row& row) {
    const std::string fallback = row.limits.required        ? "required"
                                 : row.default_text.empty() ? ""
                                                            : '`' + std::string(row.default_text) + '`';
    std::string out = "| `" + std::string(row.key) + "` | " + type_of(row) + " | " + fallback + " | ";
    return out.append(row.meaning) + " |\n";
}

std::string section_of(const Table& table) {
    std::string out = "\n## " + table.header() + "\n\n";
    out.append(table.intro) += "\n\n```toml\n";
    out.append(table.example) += "```\n\n| Key | Type | Default | Meaning |\n|---|---|---|---|\n";
    for (const Row& row : table.rows) out += line_of(row);
    return out;
}

}  // namespace

std::string reference_markdown() {
    std::string out(preface);
    for (const Table& table : schema()) out += section_of(table);
    return out;
}

}  // namespace sallyport::config
