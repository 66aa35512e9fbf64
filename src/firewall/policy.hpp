// The firewall's policy: one list of rules in the order in which they are asked, each with its reason and the place in
// the configuration that it follows from. Renderers write it for nft, iptables and people; explain() asks it.
#pragma once

#include "base/address.hpp"
#include "config/config.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport::firewall {

using config::Deny;
using config::PortRange;
using config::Transport;

/// Where a packet meets the rules: it is for this node, passes through it, or leaves it. What leaves is never
/// filtered; such rules tell the admins of other firewalls what the node needs.
enum class Hook : std::uint8_t { input, forward, output };

/// The side that a packet comes from, or leaves to.
enum class Zone : std::uint8_t { any, inside, outside };
inline constexpr std::array<std::string_view, 3> zone_names{"any", "inside", "outside"};

/// The order within a hook.
enum class Stage : std::uint8_t { established, must_pass, bans, admin, services, wanted, fast_fail, refusals };

/// What a rule looks at. All but `flow` mean one fixed thing; the renderers hold a line for each.
enum class Kind : std::uint8_t {
    segment_size,  // nothing is decided: TCP is told of the path's largest segment (RFC 4459 section 3.2)
    established,  // belongs to a connection that was admitted
    invalid,  // belongs to none and begins none
    loopback,  // from this machine to itself
    control,  // ICMP that must pass, neighbor discovery, multicast listeners
    dhcp6,  // answers to this node's own question for an address (RFC 8415 section 7)
    wanted,  // nothing is decided: remembers who asked for which closed port
    not_for_us,  // broadcast and multicast, which are never answered
    flow,  // addresses and ports: Rule's own members
};

enum class Action : std::uint8_t {
    accept,
    note,  // counts, and goes on
    drop,
    refuse,  // as its zone refuses
    reset,  // by TCP reset, whatever the zone does
};
inline constexpr std::array<std::string_view, 5> action_names{"accept", "note", "drop", "refuse", "reset"};

struct Rule {
    std::string id;  // "listen.https"; unique, it names the counter
    Stage stage = Stage::services;
    Hook hook = Hook::input;
    Kind kind = Kind::flow;
    Action action = Action::accept;
    std::string reason;  // for people, one line
    config::Place place = {};
    // Kind::flow: all of these must fit.
    Zone zone = Zone::any;  // that it comes from
    Zone to_zone = Zone::any;  // that it leaves to; Hook::forward
    bool translated = false;  // only what a Forward has sent on, or an Interception here
    std::vector<Transport> transports = {};  // empty: every protocol
    std::vector<PortRange> ports = {};  // of the destination; empty: all
    std::vector<Network> from = {};  // empty: anyone
    std::vector<Network> except = {};  // not from these
    std::vector<Network> to = {};  // empty: any address
    std::string to_name = {};  // Hook::output: a host whose address is not known here
};

/// A port of this node that another machine serves.
struct Forward {
    Transport transport;
    std::uint16_t port;
    SocketAddress to;
    std::string id;
    std::string reason;
    config::Place place;
};

/// What clients inside send to others and this node takes in their place, by TCP, on the same ports.
struct Interception {
    std::vector<Network> to;
    std::vector<PortRange> ports;
    std::string id;
    std::string reason;
    config::Place place;
};

/// Under which address clients from inside are seen outside. Asked in this order: clients, pins, pool, masquerade.
struct SourceNat {
    struct Pin {
        Network client;
        IpAddress source;
    };
    struct Range {
        IpAddress first;
        IpAddress last;

        std::uint32_t size() const;  // addresses; of a pool far fewer than would not fit
    };
    bool follows_people = false;  // there may be `clients`, as leases, accounting and pins by hand come and go
    std::vector<Pin> clients;  // single addresses, as they are placed now; before the pins
    std::vector<std::string> unplaced;  // users and devices that are pinned and behind no known address
    std::vector<Pin> pins;  // a client's is the longest network that holds it
    std::vector<Range> pool;  // of several of a family, a hash keyed by `seed` says which is a client's
    std::uint32_t seed = 0;  // the same on every gateway that chooses alike
    bool masquerade = false;
    PortRange ports{32768, 49151};

    bool empty() const { return clients.empty() && pins.empty() && pool.empty() && !masquerade; }
};

/// A port that an outer router sends here.
struct PortMapping {
    Transport transport = Transport::tcp;
    PortRange ports = {};
    std::optional<IpAddress> outside = {};  // none: the router's own
    std::optional<IpAddress> own = {};      // none: this node's
    bool v4 = true;                         // the families that it is served by
    bool v6 = true;
    std::string reason = {};
};

struct Policy {
    std::vector<std::string> inside;  // interfaces
    std::vector<std::string> outside;  // interfaces; both lists are empty, or none is
    Deny deny_inside = Deny::reset;
    Deny deny_outside = Deny::reset;
    std::uint32_t deny_rate = 1000;  // a second and zone
    std::vector<Rule> rules;  // of each hook in the order of asking
    std::vector<Forward> forwards;
    std::optional<Interception> interception;
    SourceNat nat;
    std::vector<PortMapping> mappings;

    /// Without these the node is no router, and what others forward through it is none of its business.
    bool routes() const { return !inside.empty() || !forwards.empty() || !nat.empty(); }
    bool has_zones() const { return !inside.empty(); }
    Deny deny(Zone zone) const { return zone == Zone::inside ? deny_inside : deny_outside; }
};

/// From the configuration alone.
Policy derive(const config::Config& config);

/// What is wrong with a policy as a whole, for `firewall check`: the firewall that it makes works, but not as its
/// admin will have meant it.
struct Concern {
    std::string message;
    std::string hint;
    config::Place place;
};
std::vector<Concern> concerns(const config::Config& config, const Policy& policy);

/// "80", "49152-65535"; "80, 443" of several.
std::string to_text(const PortRange& range);
std::string to_text(const std::vector<PortRange>& ranges);
/// "tcp", "udp", "tcp, udp"; "any" of none.
std::string to_text(const std::vector<Transport>& transports);

}  // namespace sallyport::firewall
