// What an upstream's answer is worth: how long it may be kept, whether it is about the question, whether it holds
// addresses that it should not.
#pragma once

#include "base/address.hpp"
#include "wire/dns/message.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace sallyport::dns {

/// Longest time that an answer is kept, and one that something does not exist, in seconds.
inline constexpr std::uint32_t longest_ttl = 86'400;
inline constexpr std::uint32_t longest_negative_ttl = 3'600;  // RFC 2308 section 5 advises one to three hours
inline constexpr std::uint32_t failure_ttl = 2;  // SERVFAIL (RFC 9520 section 3.2: at least one second)

struct Examined {
    static constexpr std::size_t most_records = 256;

    /// Its answer section is the question's chain of CNAMEs, and nothing else.
    bool on_topic = false;
    /// It names an address of a private network, of this machine or of none.
    bool has_private_address = false;
    /// Seconds that it may be kept; nothing: not at all.
    std::optional<std::uint32_t> lifetime;
    /// Where the OPT begins, when it is the last record; else the message's size.
    std::size_t end = 0;
    bool has_opt = false;  // and it is the last record
    /// An OPT out of its place or that can't be read, or the name of a record that can't: not to be passed on.
    bool malformed = false;
    std::optional<Edns> edns;
    std::array<std::uint16_t, most_records> ttl_at{};  // where the TTLs stand, OPT's apart
    std::size_t records = 0;

    std::span<const std::uint16_t> ttls() const { return std::span(ttl_at).first(records); }
};

/// An address of a private network, of this machine or of none: no name outside may have it here.
bool leads_inside(const IpAddress& address);

/// @param response  read of this message
Examined examine(Bytes message, const Response& response);

}  // namespace sallyport::dns
