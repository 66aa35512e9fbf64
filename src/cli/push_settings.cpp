#include "cli/push_settings.hpp"

#include "push/resolve.hpp"
#include "push/server.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>

namespace sallyport::cli {

namespace {

constexpr std::uint16_t dns_port = 53;

bool is_single(const Network& network) { return network.mapped_bits() == 128; }

// Does a listener take every address of this family on this port?
bool takes_all(const listeners::Claim& claim, std::uint16_t port, bool v4) {
    const config::ListenAddress& at = claim.address;
    if (at.address.port != port || !at.address.ip.is_unspecified()) return false;
    return at.dual_stack || at.address.ip.is_v4() == v4;
}

}  // namespace

push::Policy push_policy(const config::Config& config) {
    const config::Push& push = config.push;
    push::Policy out{.providers = push.providers, .intercept = push.intercept, .ttl = push.ttl};
    std::vector<Network> vips;
    for (const auto& vip : push.vip) vips.push_back(vip.value);
    out.vips = push::Vips(vips);
    for (const auto& port : push.ports) out.ports.push_back(port.value);
    for (const auto& family : push.families) out.families.insert(family.value);
    for (const auto& network : push.allow_to) out.allow_to.push_back(network.value);
    if (out.allow_to.empty()) out.allow_to = config::apple_networks();
    for (const auto& proxy : push.via) out.via.push_back(proxy.value);
    for (const auto& server : push.resolver) out.servers.push_back({server.value, dns_port});
    // Not first the system's: it may well be this very gateway, which would ask itself.
    if (out.servers.empty()) {
        for (const auto& upstream : config.dns.upstream) {
            if (!upstream.value.tls) out.servers.push_back(upstream.value.address);
        }
    }
    if (out.servers.empty()) {
        std::ifstream file("/etc/resolv.conf");
        const std::string text(std::istreambuf_iterator<char>(file), {});
        out.servers = push::servers_of_system(text);
    }
    return out;
}

std::vector<listeners::Claim> push_claims(const config::Push& push, const std::vector<listeners::Claim>& others) {
    std::vector<listeners::Claim> out;
    const auto claim = [&out](SocketAddress address, bool dual) {
        out.push_back({.address = {address, dual}, .owner = "push", .tls = true, .kind = push::listener_kind});
    };
    for (const auto& port : push.ports) {
        bool all_v4 = push.intercept;
        bool all_v6 = push.intercept;
        for (const auto& vip : push.vip) {
            if (!is_single(vip.value)) (vip.value.address().is_v4() ? all_v4 : all_v6) = true;
        }
        const auto taken = [&](bool v4) {
            return std::ranges::any_of(others, [&](const auto& one) { return takes_all(one, port.value, v4); });
        };
        for (const auto& vip : push.vip) {
            const bool v4 = vip.value.address().is_v4();
            if (is_single(vip.value) && !(v4 ? all_v4 : all_v6) && !taken(v4))
                claim({vip.value.address(), port.value}, false);
        }
        all_v4 = all_v4 && !taken(true);
        all_v6 = all_v6 && !taken(false);
        if (all_v4 && all_v6)
            claim({{}, port.value}, true);
        else if (all_v4)
            claim({IpAddress::v4(0), port.value}, false);
        else if (all_v6)
            claim({{}, port.value}, false);
    }
    return out;
}

}  // namespace sallyport::cli
