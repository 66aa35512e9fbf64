// Who is behind an address, and what is held fast for whom.
#pragma once

#include "base/address.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::egress {

/// A device or its user, as far as is known.
struct Person {
    IpAddress address;
    std::string user = {};  // by RADIUS accounting; empty: not known
    std::string mac = {};   // canonical, by RADIUS accounting or a DHCP lease; empty: not known

    /// By what it is told from others, the most lasting that is known: "user alice", "mac 02:…", "address 10.1.2.3".
    std::string identity() const;

    bool operator==(const Person&) const = default;
};

/// Is it what an identity() can be?
bool is_identity(std::string_view text);

enum class PinKind : std::uint8_t { user, mac, client, network };
inline constexpr std::array<std::string_view, 4> pin_kind_names{"user", "mac", "client", "network"};

/// Whose connections go out from a certain address, whatever else is known. Of several that fit, the first kind in
/// the order above holds, and of networks the narrowest.
struct Pin {
    PinKind kind = PinKind::client;
    std::string who = {};  // canonical: a user's name, a MAC address, an address, a network
    IpAddress source = {};

    /// Reads what stands for `who`; nothing where it is none of its kind.
    static std::optional<Pin> make(PinKind kind, std::string_view who, const IpAddress& source);
    /// "user alice", "network 10.1.0.0/16".
    std::string subject() const { return std::string(pin_kind_names[static_cast<std::size_t>(kind)]) + ' ' + who; }
    static std::optional<Pin> of_subject(std::string_view subject, const IpAddress& source);

    bool operator==(const Pin&) const = default;
};

}  // namespace sallyport::egress
