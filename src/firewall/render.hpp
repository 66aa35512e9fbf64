// A policy as text: for nft, for iptables, and for the admins of other firewalls.
#pragma once

#include "firewall/policy.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace sallyport::firewall {

/// The one table that is ours, of the family inet. No other is ever touched.
inline constexpr std::string_view table_name = "sallyport";
/// The sets that remember who asked for which closed port.
inline constexpr std::string_view wanted_v4 = "wanted4";
inline constexpr std::string_view wanted_v6 = "wanted6";
inline constexpr std::string_view placed_clients = "clients";  // of the maps "clients4" and "clients6"

struct Count {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;

    bool operator==(const Count&) const = default;
};
/// By the names of the counters, which are the ids of the rules.
using Counts = std::map<std::string, Count, std::less<>>;

/// What `nft -f` reads: takes our table away and makes it anew, in one transaction.
/// @param counts  what the counters begin with
std::string to_nft(const Policy& policy, const Counts& counts = {});

/// What iptables-restore and ip6tables-restore read with --noflush: chains of our own, which nothing leads to before
/// the last lines do. Without the memory of wanted ports, which iptables has no sets for.
std::string to_iptables(const Policy& policy, bool v6);

/// A sheet for the admin of another firewall: who must reach whom, on which ports, and why.
std::string to_request(const Policy& policy);

/// What an outer router must send here.
std::string to_portmap(const Policy& policy);

/// Words that fit a comment of nft and iptables: printable ASCII without quotes and backslashes, at most 120 bytes.
std::string comment_of(std::string_view reason);

}  // namespace sallyport::firewall
