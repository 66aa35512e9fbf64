#include "firewall/policy.hpp"

#include "firewall/derive.hpp"

#include <algorithm>
#include <utility>

namespace sallyport::firewall {

std::vector<PortRange> merged(std::vector<PortRange> ranges) {
    std::ranges::sort(ranges);
    std::vector<PortRange> out;
    for (const PortRange& range : ranges) {
        if (!out.empty() && range.first <= out.back().last + 1U)
            out.back().last = std::max(out.back().last, range.last);
        else
            out.push_back(range);
    }
    return out;
}

std::vector<Network> outermost(std::vector<Network> networks) {
    // By family, and within one a network before those that it holds: ::/0 holds no IPv4 address.
    std::ranges::sort(networks, {}, [](const Network& one) { return std::pair(!one.address().is_v4(), one); });
    std::vector<Network> out;
    for (const Network& network : networks) {
        const bool held =
            !out.empty() && out.back().mapped_bits() <= network.mapped_bits() && out.back().contains(network.address());
        if (!held) out.push_back(network);
    }
    return out;
}

std::uint32_t SourceNat::Range::size() const {
    const auto low = [](const IpAddress& address) {
        const auto& bytes = address.bytes();
        return std::uint32_t{bytes[12]} << 24 | std::uint32_t{bytes[13]} << 16 | std::uint32_t{bytes[14]} << 8 |
               bytes[15];
    };
    return low(last) - low(first) + 1;
}

std::string to_text(const PortRange& range) {
    return std::to_string(range.first) + (range.last == range.first ? "" : '-' + std::to_string(range.last));
}

std::string to_text(const std::vector<PortRange>& ranges) {
    std::string out;
    for (const PortRange& range : ranges) out += (out.empty() ? "" : ", ") + to_text(range);
    return out.empty() ? "any" : out;
}

std::string to_text(const std::vector<Transport>& transports) {
    std::string out;
    for (const Transport transport : transports) out += (out.empty() ? "" : ", ") + std::string(to_string(transport));
    return out.empty() ? "any" : out;
}

}  // namespace sallyport::firewall
