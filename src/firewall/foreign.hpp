// What other tables of the kernel would still do: an accept of ours is final for our table alone, and any other base
// chain on the same way may drop the packet.
#pragma once

#include "firewall/policy.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sallyport::firewall {

/// A base chain of somebody else's that may drop what our policy lets through.
struct Obstacle {
    std::string chain;  // "chain input of table inet filter, priority filter"
    Hook hook = Hook::input;
    bool drops_by_policy = false;
    std::vector<std::string> rules;  // those that drop or reject, as listed; a few of them
    std::vector<std::string> stopped;  // ids of our rules for whose ports nothing in it accepts; by its policy
};

/// @param ruleset  as list_ruleset() prints it
std::vector<Obstacle> obstacles(std::string_view ruleset, const Policy& policy);

/// For people, one sentence.
std::string to_text(const Obstacle& obstacle);

}  // namespace sallyport::firewall
