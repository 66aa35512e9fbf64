// The protocols that records and metrics tell apart: a short, closed list, so that a metric's labels are bounded.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sallyport::telemetry {

enum class Protocol : std::uint8_t { http, sip, ldap, h323, tls, turn, dns, push, mux };

/// In the order of the enumeration; the words of the configuration. "mux" is a connection to a port of many protocols
/// that ended before its first bytes had told which one.
inline constexpr std::array<std::string_view, 9> protocol_names{"http", "sip", "ldap", "h323", "tls",
                                                                "turn", "dns", "push", "mux"};

constexpr std::size_t index(Protocol protocol) { return static_cast<std::size_t>(protocol); }
constexpr std::string_view name(Protocol protocol) { return protocol_names[index(protocol)]; }

static_assert(name(Protocol::mux) == "mux");

}  // namespace sallyport::telemetry
