// Reads the files in which DHCP servers keep their leases: dnsmasq's, ISC dhcpd's, and Kea's memfile of CSV.
#pragma once

#include "egress/people.hpp"

#include <filesystem>
#include <string_view>
#include <vector>

namespace sallyport::egress {

inline constexpr std::size_t most_of_lease_file = std::size_t{64} * 1024 * 1024;  // octets

/// The leases that hold, the last word on each address. Which kind of file it is shows in its text. A line or a stanza
/// that is not whole, as the last one of a file that is being written, or that makes no sense, is passed over; so are
/// leases without a hardware address. From DHCPv6, whose clients have an id instead, the address is taken out of ids
/// of the kinds DUID-LLT and DUID-LL (RFC 8415 section 11).
/// @param text  of one file, or of several of Kea's with the older first
std::vector<DhcpLease> read_leases(std::string_view text, WallTime now);

/// The same of a file on the disk, with those that Kea has beside it. Blocks.
std::vector<DhcpLease> read_lease_file(const std::filesystem::path& file, WallTime now);

}  // namespace sallyport::egress
