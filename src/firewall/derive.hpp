// How one section of the configuration becomes rules. To teach the firewall another section, write one function like
// those in derive.cpp and add it to the table `sections` there.
#pragma once

#include "firewall/policy.hpp"

#include <span>
#include <string_view>

namespace sallyport::firewall {

struct Section {
    std::string_view name;
    void (*derive)(const config::Config& config, Policy& policy);
};

/// Every section that rules follow from, in no particular order: derive() sorts the rules by stage.
std::span<const Section> sections();

/// Lets clients reach a port of this node: adds the rule for `listen` with what it may be reached on, and its place in
/// the outer router's table. An address of the loopback network needs no rule and gets none.
/// @param name  what the port is for, as in `why`: "[listen] https"
void open_listener(Policy& policy, std::string_view id, const config::Located<config::ListenAddress>& listen,
                   std::vector<Transport> transports, std::string reason);

/// Lets clients reach a range of ports of this node, such as TURN's relayed addresses.
void open_ports(Policy& policy, std::string_view id, PortRange ports, std::vector<Transport> transports,
                const config::Place& place, std::string reason);

/// Notes for other admins that this node dials `to`; an empty list with a name: an address that is not known here.
void note_dialed(Policy& policy, std::string_view id, std::vector<Network> to, std::string name,
                 std::vector<PortRange> ports, std::vector<Transport> transports, const config::Place& place,
                 std::string reason);

/// Sorted, overlapping and touching ones made one.
std::vector<PortRange> merged(std::vector<PortRange> ranges);
/// Sorted, without those that another one holds.
std::vector<Network> outermost(std::vector<Network> networks);

}  // namespace sallyport::firewall
