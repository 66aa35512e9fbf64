#include "egress/lease_file.hpp"

#include "base/mac.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <map>
#include <optional>
#include <string>

namespace sallyport::egress {

namespace {

using Leases = std::map<IpAddress, DhcpLease>;

constexpr std::size_t most_of_line = 4096;
constexpr std::int64_t most_seconds = 7'000'000'000;  // since 1970; beyond it nanoseconds don't reach

// Takes the next line that is whole. False at the end.
bool next_line(std::string_view& text, std::string_view& line) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return false;
    line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() > most_of_line) line = {};
    return true;
}

// Takes the next word.
std::string_view next_word(std::string_view& line, std::string_view blanks = " \t") {
    const std::size_t begin = std::min(line.find_first_not_of(blanks), line.size());
    const std::size_t end = std::min(line.find_first_of(blanks, begin), line.size());
    const std::string_view word = line.substr(begin, end - begin);
    line.remove_prefix(end);
    return word;
}

std::optional<WallTime> unix_time(std::string_view text) {
    const auto seconds = parse_number<std::int64_t>(text);
    if (!seconds || *seconds < 0 || *seconds > most_seconds) return std::nullopt;
    return WallTime{std::chrono::seconds(*seconds)};
}

// The hardware address within a client's id, where it is an Ethernet's.
std::optional<std::string> mac_of_duid(std::string_view duid) {
    constexpr std::size_t octets_of_llt = 14;
    constexpr std::size_t octets_of_ll = 10;
    std::string digits;
    for (const char c : duid) {
        if (c != ':') digits += to_lower(c);
    }
    const bool llt = digits.size() == 2 * octets_of_llt && digits.starts_with("00010001");
    const bool ll = digits.size() == 2 * octets_of_ll && digits.starts_with("00030001");
    if (!llt && !ll) return std::nullopt;
    return canonical_mac(std::string_view(digits).substr(digits.size() - 12));
}

void put(Leases& leases, std::string_view address, std::optional<std::string> mac, std::optional<WallTime> until) {
    const auto ip = IpAddress::parse(address);
    if (!ip || !until) return;
    if (mac)
        leases.insert_or_assign(*ip, DhcpLease{*ip, std::move(*mac), *until});
    else
        leases.erase(*ip);
}

// ---- dnsmasq: one lease a line, "expiry hardware-address address name client-id". Below a line "duid …" those of
// DHCPv6: "expiry iaid address name duid". An expiry of 0 is never.

Leases read_dnsmasq(std::string_view text) {
    Leases leases;
    std::string_view line;
    bool v6 = false;
    while (next_line(text, line)) {
        const std::string_view expiry = next_word(line);
        if (expiry == "duid") v6 = true;
        const std::string_view hardware = next_word(line);
        const std::string_view address = next_word(line);
        next_word(line);
        const std::string_view id = next_word(line);
        auto until = unix_time(expiry);
        if (until == WallTime{}) until = WallTime::max();
        // "06-…" is a kind of hardware other than Ethernet.
        put(leases, address, v6 ? mac_of_duid(id) : canonical_mac(hardware), until);
    }
    return leases;
}

// ---- ISC dhcpd: stanzas "lease ADDRESS { … }", written after each other; the last one of an address holds. Those of
// DHCPv6 stand within that of their client: "ia-na "IAID and DUID" { … iaaddr ADDRESS { … } … }".

// The DUID behind the four octets of the IAID, as hexadecimal digits, out of a quoted text where `\DDD` is an octet in
// octal and `\` takes the next character as it is.
std::string isc_duid(std::string_view quoted) {
    constexpr std::size_t iaid = 4;
    constexpr std::string_view hex = "0123456789abcdef";
    const auto is_octal = [](char c) { return c >= '0' && c <= '7'; };
    std::string digits;
    for (std::size_t i = 1; i < quoted.size() && quoted[i] != '"'; ++i) {
        auto octet = static_cast<unsigned char>(quoted[i]);
        const std::string_view escaped = quoted[i] == '\\' ? quoted.substr(i + 1, 3) : std::string_view();
        if (escaped.size() == 3 && std::ranges::all_of(escaped, is_octal)) {
            octet = static_cast<unsigned char>((escaped[0] - '0') * 64 + (escaped[1] - '0') * 8 + (escaped[2] - '0'));
            i += 3;
        } else if (!escaped.empty()) {
            octet = static_cast<unsigned char>(quoted[++i]);
        }
        digits += hex[octet >> 4];
        digits += hex[octet & 15];
    }
    return digits.substr(std::min(digits.size(), 2 * iaid));
}

// "4 2026/03/05 12:00:00;", in UTC, or "never;", or "epoch 1772712000;".
std::optional<WallTime> isc_time(std::string_view text) {
    const std::string_view first = next_word(text, " \t;");
    if (first == "never") return WallTime::max();
    if (first == "epoch") return unix_time(next_word(text, " \t;"));
    std::array<unsigned, 6> parts{};
    std::string_view rest = text;
    for (unsigned& part : parts) {
        const auto number = parse_number<unsigned>(next_word(rest, " \t/:;"));
        if (!number || *number > 9999) return std::nullopt;
        part = *number;
    }
    const std::chrono::year_month_day day{std::chrono::year(static_cast<int>(parts[0])), std::chrono::month(parts[1]),
                                          std::chrono::day(parts[2])};
    if (!day.ok() || parts[0] < 1970 || parts[0] > 2190) return std::nullopt;
    return WallTime{std::chrono::sys_days(day)} + std::chrono::hours(parts[3]) + std::chrono::minutes(parts[4]) +
           std::chrono::seconds(parts[5]);
}

Leases read_isc(std::string_view text) {
    struct Stanza {
        std::string_view address;
        std::optional<std::string> mac = {};
        std::optional<WallTime> until = {};
        bool active = true;
    };
    Leases leases;
    std::optional<Stanza> stanza;
    std::optional<std::string> mac_of_client;
    std::string_view line;
    while (next_line(text, line)) {
        const std::string_view word = next_word(line);
        if (word == "lease") {
            stanza = Stanza{.address = next_word(line)};
        } else if (word == "iaaddr") {
            stanza = Stanza{.address = next_word(line), .mac = mac_of_client};
        } else if (word == "ia-na") {
            mac_of_client = mac_of_duid(isc_duid(line.substr(std::min(line.find('"'), line.size()))));
        } else if (!stanza) {
            continue;
        } else if (word == "ends") {
            stanza->until = isc_time(line);
        } else if (word == "hardware") {
            next_word(line);
            stanza->mac = canonical_mac(next_word(line, " \t;"));
        } else if (word == "binding") {
            next_word(line);
            stanza->active = next_word(line, " \t;") == "active";
        } else if (word == "}") {
            if (!stanza->active) stanza->mac.reset();
            put(leases, stanza->address, std::move(stanza->mac), stanza->until);
            stanza.reset();
        }
    }
    return leases;
}

// ---- Kea: CSV with a head that names the columns, appended to; the last row of an address holds.

struct KeaColumns {
    static constexpr std::array<std::string_view, 6> names{"address", "hwaddr",         "duid",
                                                           "expire",  "valid_lifetime", "state"};
    std::array<std::size_t, names.size()> at{};  // from 1; 0: there is none

    explicit KeaColumns(std::string_view head) {
        for (std::size_t column = 1; !head.empty(); ++column) {
            const std::string_view name = head.substr(0, head.find(','));
            const auto* const known = std::ranges::find(names, name);
            if (known != names.end()) at[static_cast<std::size_t>(known - names.begin())] = column;
            head.remove_prefix(std::min(name.size() + 1, head.size()));
        }
    }
    // The fields in the order of `names`; those that the file has no column for are empty.
    std::array<std::string_view, names.size()> of(std::string_view row) const {
        std::array<std::string_view, names.size()> out;
        for (std::size_t column = 1; !row.empty(); ++column) {
            const std::string_view field = row.substr(0, row.find(','));
            for (std::size_t i = 0; i < at.size(); ++i) {
                if (at[i] == column) out[i] = field;
            }
            row.remove_prefix(std::min(field.size() + 1, row.size()));
        }
        return out;
    }
};

Leases read_kea(std::string_view text) {
    Leases leases;
    std::optional<KeaColumns> columns;
    std::string_view line;
    while (next_line(text, line)) {
        if (line.starts_with("address,")) {
            columns.emplace(line);
            continue;
        }
        if (!columns) continue;
        const auto [address, hardware, duid, expire, lifetime, state] = columns->of(line);
        std::optional<std::string> mac = canonical_mac(hardware);
        if (!mac) mac = mac_of_duid(duid);
        if ((!state.empty() && state != "0") || lifetime == "0") mac.reset();  // declined, reclaimed, released
        constexpr std::string_view infinite = "4294967295";
        put(leases, address, std::move(mac), lifetime == infinite ? WallTime::max() : unix_time(expire));
    }
    return leases;
}

Leases read_any(std::string_view text) {
    if (text.starts_with("address,")) return read_kea(text);
    for (const std::string_view stanza : {"lease ", "ia-na "}) {
        if (text.starts_with(stanza) || text.contains("\n" + std::string(stanza))) return read_isc(text);
    }
    return read_dnsmasq(text);
}

void append(const std::filesystem::path& file, std::string& out) {
    std::ifstream in(file, std::ios::binary);
    std::string text(std::istreambuf_iterator<char>(in), {});
    text.resize(std::min(text.size(), most_of_lease_file - std::min(out.size(), most_of_lease_file)));
    out += text;
}

// Kea moves its leases through files of these names while it tidies them (LFC); read in its own order, the older first.
std::string text_of(const std::filesystem::path& file) {
    std::string out;
    append(file, out);
    if (!out.empty() && !out.starts_with("address,")) return out;
    std::string all;
    for (const char* suffix : {".2", ".completed", ".1"}) append(file.string() + suffix, all);
    return all + out;
}

}  // namespace

std::vector<DhcpLease> read_leases(std::string_view text, WallTime now) {
    std::vector<DhcpLease> out;
    for (auto& [address, lease] : read_any(text.substr(0, most_of_lease_file))) {
        if (lease.until > now) out.push_back(std::move(lease));
    }
    return out;
}

std::vector<DhcpLease> read_lease_file(const std::filesystem::path& file, WallTime now) {
    return read_leases(text_of(file), now);
}

}  // namespace sallyport::egress
