// What clients inside may reach through the node: the words of [firewall] presets.
#pragma once

#include "firewall/policy.hpp"

#include <span>
#include <string_view>

namespace sallyport::firewall {

/// The rules of one preset.
struct PassageRule {
    std::span<const Transport> transports;  // empty: every protocol
    std::span<const PortRange> ports;
    bool to_apple;  // to all of Apple's networks; else anywhere
    std::string_view reason;
};

std::span<const PassageRule> rules_of(config::Passage passage);

}  // namespace sallyport::firewall
