// [firewall] and its tables: what the packet filter around the gateway is told beside what follows from the other
// tables.
#pragma once

#include "base/address.hpp"
#include "config/place.hpp"
#include "config/ports.hpp"
#include "config/words.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::config {

/// How what is not served is refused.
enum class Deny : std::uint8_t { reset, icmp, drop };
template <>
inline constexpr std::array<std::string_view, 3> words_of<Deny>{"reset", "icmp", "drop"};

enum class Transport : std::uint8_t { tcp, udp };
template <>
inline constexpr std::array<std::string_view, 2> words_of<Transport>{"tcp", "udp"};

/// What clients inside may reach through this node.
enum class Passage : std::uint8_t { apns, dns, ntp, web, anything };
template <>
inline constexpr std::array<std::string_view, 5> words_of<Passage>{"apns", "dns", "ntp", "web", "anything"};

/// The name of a network interface, as Linux allows it.
struct Interface {
    std::string name;

    bool operator==(const Interface&) const = default;
};

/// [[firewall.open]]: what this machine serves beside the gateway.
struct FirewallOpen {
    Place place;
    Located<std::string> name;
    std::vector<Located<Transport>> protocols{{Transport::tcp, {}}};
    std::vector<Located<std::uint16_t>> ports;
    std::vector<Located<Network>> from;  // empty: anyone

    bool operator==(const FirewallOpen&) const = default;
};

/// [[firewall.forward]]: a port of this node that another machine serves.
struct FirewallForward {
    Place place;
    std::vector<Located<Transport>> protocols{{Transport::tcp, {}}};
    std::optional<std::uint16_t> port;
    Located<SocketAddress> to;

    bool operator==(const FirewallForward&) const = default;
};

struct Firewall {
    Place place;  // of [firewall]; line 0: there is none
    std::vector<Located<Interface>> inside;
    std::vector<Located<Interface>> outside;
    Deny deny = Deny::reset;
    Deny deny_inside = Deny::reset;
    std::uint32_t deny_rate = 1000;  // refusals a second and zone
    std::vector<Located<std::uint16_t>> fast_fail{{113, {}}, {1935, {}}};
    std::vector<Located<std::uint16_t>> admin_ports{{22, {}}};
    std::vector<Located<Network>> admin_from;  // empty: whoever comes from inside
    std::vector<Located<Passage>> presets;
    bool masquerade = true;
    Located<PortRange> nat_ports{{32768, 49151}, {}};
    bool restore = false;  // puts the confirmed rules back when somebody takes them away
    Located<std::filesystem::path> state_dir{"/var/lib/sallyport-firewall", {}};

    bool operator==(const Firewall&) const = default;
};

}  // namespace sallyport::config
