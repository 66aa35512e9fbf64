// Whom a relay may send to. A TURN server that sends anywhere is a way into the network it stands in: to its own
// services, to neighbors, to a cloud's metadata. So everything that is not the public Internet is denied unless an
// administrator makes an exception, and an address is judged by where its packets would really go.
#pragma once

#include "base/address.hpp"
#include "base/network_map.hpp"

#include <cstdint>
#include <span>
#include <string>

namespace sallyport::turn {

/// The IPv4 address that an IPv6 one hides and some router would unpack: compatible (RFC 4291 section 2.5.5.1),
/// translated (RFC 2765), NAT64 (RFC 6052, RFC 8215), 6to4 (RFC 3056), Teredo (RFC 4380). Any other is itself.
IpAddress canonical(const IpAddress& address);

class PeerPolicy {
public:
    enum class Verdict : std::uint8_t {
        allowed,
        relays_only,  // an address of this node: only where another client's relay is
        denied,
    };
    struct Ruling {
        Verdict verdict;
        const std::string* rule;  // that decided, for the log; null where none had to
    };

    /// @param allow  exceptions. The most specific network decides: an exception opens what it names or what lies
    ///               within, so 0.0.0.0/0 opens no private network. `deny` wins over `allow` of the same network.
    /// @param own    addresses of this node, and those that an outer NAT maps to it
    PeerPolicy(std::span<const Network> deny, std::span<const Network> allow, std::span<const IpAddress> own);

    /// @param is_own  is it an address of this node by now, which it need not have been when the policy was made?
    Ruling rule_on(const IpAddress& peer, bool is_own = false) const;
    bool is_own(const IpAddress& address) const { return own_.contains(address); }

private:
    struct Rule {
        Verdict verdict;
        std::string text;
        bool is_exact = false;  // on one address
    };

    NetworkMap<Rule> never_;  // nobody's addresses, whatever the exceptions say
    NetworkMap<Rule> rules_;
    NetworkSet own_;
};

}  // namespace sallyport::turn
