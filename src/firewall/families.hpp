// Rules speak of both families at once; packet filters of one at a time.
#pragma once

#include "firewall/policy.hpp"

#include <algorithm>
#include <vector>

namespace sallyport::firewall {

enum class Family : std::uint8_t { v4, v6 };

inline std::vector<Network> of_family(const std::vector<Network>& networks, Family family) {
    std::vector<Network> out;
    std::ranges::copy_if(networks, std::back_inserter(out),
                         [&](const Network& network) { return network.address().is_v4() == (family == Family::v4); });
    return out;
}

/// Does the rule say anything about packets of this family?
inline bool concerns_family(const Rule& rule, Family family) {
    const auto none = [&](const std::vector<Network>& networks) {
        return !networks.empty() && of_family(networks, family).empty();
    };
    return !none(rule.from) && !none(rule.to);
}

inline bool names_addresses(const Rule& rule) { return !rule.from.empty() || !rule.to.empty() || !rule.except.empty(); }

/// Every address of its family.
inline bool is_everything(const std::vector<Network>& networks) {
    return networks.size() == 1 && networks.front().bits() == 0;
}

}  // namespace sallyport::firewall
