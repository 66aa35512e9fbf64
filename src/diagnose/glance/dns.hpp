// What a diagnosis must know of a DNS message (RFC 1035): the question, whether it is an answer, the addresses in it.
#pragma once

#include "base/address.hpp"
#include "base/bytes.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::diagnose {

struct DnsGlance {
    std::uint16_t id = 0;
    bool response = false;
    std::uint8_t code = 0;  // of a response
    std::string name;  // lower case, labels joined with dots; characters other than those of host names as \DDD
    std::uint16_t type = 0;
    std::vector<IpAddress> addresses;  // A and AAAA of the answer, at most max_addresses
};

inline constexpr std::size_t max_addresses = 16;

/// A message with one question of class IN and the standard opcode. Strict, so that other protocols are not taken for
/// it.
std::optional<DnsGlance> glance_dns(Bytes datagram);

}  // namespace sallyport::diagnose
