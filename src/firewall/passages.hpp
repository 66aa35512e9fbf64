// What clients inside may reach through the node: the words of [firewall] presets.
#pragma once

#include "firewall/policy.hpp"

#include <span>

namespace sallyport::firewall {

/// The rules of one preset.
struct PassageRule {
    std::span<const Transport> transports;  // empty: every protocol
    std::span<const PortRange> ports;
    std::span<const std::string_view> to;  // networks; empty: anywhere
    std::string_view reason;
};

std::span<const PassageRule> rules_of(config::Passage passage);

/// Where Apple's push servers are: the networks that Apple gives for them.
std::span<const std::string_view> apple_networks();

}  // namespace sallyport::firewall
