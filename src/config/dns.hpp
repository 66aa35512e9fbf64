// [dns] and its tables as the rest of the program sees them.
#pragma once

#include "base/address.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "config/listen_address.hpp"
#include "config/place.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::config {

/// A name server that questions are passed on to: "9.9.9.9", "9.9.9.9:5353", "tls://1.1.1.1#one.one.one.one".
struct DnsUpstream {
    SocketAddress address;  // port 53, or 853 with TLS, where none is written
    bool tls = false;       // RFC 7858
    std::string name = {};  // that its certificate must bear; only with TLS

    /// As it is written in the file, with the port only where it is not the usual one.
    std::string to_string() const;
    bool operator==(const DnsUpstream&) const = default;
};

/// A domain name, lower-cased, without a final dot; "." is the root. "*.example.com" where a key takes patterns.
struct DnsName {
    std::string text;

    bool is_pattern() const { return text.starts_with("*."); }
    bool operator==(const DnsName&) const = default;
};

struct Dns {
    std::vector<Located<ListenAddress>> listen;
    std::vector<Located<DnsUpstream>> upstream;
    std::vector<Located<Network>> clients;  // empty: loopback and private networks
    std::vector<Located<DnsName>> deny;
    std::vector<Located<DnsName>> rebind_allow;
    Located<std::filesystem::path> upstream_ca;  // PEM; empty: the system's
    std::uint32_t cache = 10'000;  // answers on each data loop
    Duration stale_for = std::chrono::days(1);
    std::uint32_t answers_per_second = 0;  // to one client network; 0: no limit
    bool log_queries = false;

    bool operator==(const Dns&) const = default;
};

struct DnsView {
    Place place;  // of [[dns.view]]
    Located<std::string> name;
    std::vector<Located<Network>> clients;
    std::vector<Located<DnsUpstream>> upstream;  // empty: those of [dns]

    bool operator==(const DnsView&) const = default;
};

inline constexpr std::size_t most_dns_views = 63;

struct DnsForward {
    Place place;  // of [[dns.forward]]
    std::vector<Located<DnsName>> domains;
    std::vector<Located<DnsUpstream>> upstream;
    std::vector<Located<std::string>> views;  // empty: every one

    bool operator==(const DnsForward&) const = default;
};

struct DnsRecord {
    Place place;  // of [[dns.record]]
    std::vector<Located<DnsName>> names;  // or patterns
    std::vector<Located<IpAddress>> addresses;  // empty: the name exists and has none
    std::vector<Located<std::string>> views;  // empty: every one
    Duration ttl = std::chrono::minutes(5);

    bool operator==(const DnsRecord&) const = default;
};

// What each says that is written in the file. The error says what is wrong with it.
Result<DnsUpstream> parse_dns_upstream(std::string_view text);
Result<DnsName> parse_dns_name(std::string_view text);

}  // namespace sallyport::config
