// For tests of this room: zones made of a few lines, and questions about them.
#pragma once

#include "dns/decide.hpp"
#include "wire/dns/testing.hpp"

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::dns::testing {

inline constexpr std::uint64_t seed = 0x5EED;

template <class T>
std::vector<config::Located<T>> located(std::initializer_list<T> values) {
    std::vector<config::Located<T>> out;
    for (const T& value : values) out.push_back({value, {}});
    return out;
}

inline std::vector<config::Located<Network>> networks(std::initializer_list<const char*> texts) {
    std::vector<config::Located<Network>> out;
    for (const char* text : texts) out.push_back({Network::parse(text).value(), {}});
    return out;
}

inline std::vector<config::Located<config::DnsUpstream>> upstreams(std::initializer_list<const char*> texts) {
    std::vector<config::Located<config::DnsUpstream>> out;
    for (const char* text : texts) out.push_back({config::parse_dns_upstream(text).value(), {}});
    return out;
}

inline config::DnsRecord record(std::string name, std::initializer_list<const char*> addresses,
                                std::initializer_list<std::string> views = {}) {
    config::DnsRecord out{
        .place = {}, .names = located({config::DnsName{std::move(name)}}), .addresses = {}, .views = located(views)};
    for (const char* address : addresses) out.addresses.push_back({IpAddress::parse(address).value(), {}});
    return out;
}

/// As a client of an office would: two views, local names in both, domains with name servers of their own.
inline config::Config office() {
    config::Config out;
    out.dns.upstream = upstreams({"192.0.2.53"});
    out.dns.clients = networks({"10.0.0.0/8", "2001:db8::/32"});
    out.dns.deny = located({config::DnsName{"ads.example"}, config::DnsName{"use-application-dns.net"}});
    out.dns.rebind_allow = located({config::DnsName{"nas.example"}});
    out.dns_views.push_back({.place = {},
                             .name = {"branch", {}},
                             .clients = networks({"10.2.0.0/16"}),
                             .upstream = upstreams({"10.2.0.1"})});
    out.dns_views.push_back(
        {.place = {}, .name = {"guests", {}}, .clients = networks({"10.2.9.0/24", "10.9.0.0/16"}), .upstream = {}});
    out.dns_records.push_back(record("hq.example.com", {"172.16.0.10"}));
    out.dns_records.push_back(record("hq.example.com", {"10.2.0.10", "fd00::10"}, {"branch"}));
    out.dns_records.push_back(record("*.apps.example.com", {"172.16.0.20"}));
    out.dns_records.push_back(record("one.apps.example.com", {"172.16.0.21"}));
    out.dns_records.push_back(record("printer.example.com", {"10.2.0.99"}, {"branch"}));
    out.dns_records.push_back(record("nothing.example.com", {}));
    out.dns_records.push_back(record("yes.ads.example", {"172.16.0.30"}));
    out.dns_forwards.push_back({.place = {},
                                .domains = located({config::DnsName{"corp.example"}}),
                                .upstream = upstreams({"172.16.0.53"}),
                                .views = {}});
    out.dns_forwards.push_back({.place = {},
                                .domains = located({config::DnsName{"lab.corp.example"}}),
                                .upstream = upstreams({"172.16.0.54"}),
                                .views = located<std::string>({"branch"})});
    out.dns_forwards.push_back({.place = {},
                                .domains = located({config::DnsName{"deep.apps.example.com"}}),
                                .upstream = upstreams({"172.16.0.55"}),
                                .views = {}});
    return out;
}

}  // namespace sallyport::dns::testing
