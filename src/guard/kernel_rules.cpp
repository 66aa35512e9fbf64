#include "guard/kernel_rules.hpp"

#include "guard/entry.hpp"

#include <algorithm>
#include <chrono>

namespace sallyport::guard::kernel_rules {

namespace {

std::string in_table(std::string_view command, std::string_view what) {
    return std::string(command) + " inet " + std::string(table) + (what.empty() ? "" : " ") + std::string(what);
}

std::string element(const Network& network) {
    const bool one = network.bits() == (network.address().is_v4() ? 32U : 128U);
    return one ? network.address().to_string() : network.to_string();
}

// An IPv6 client is looked up by its /64.
std::string element(ClientKey client) { return client.network().address().to_string(); }

// Elements of both families on their way into the sets `name`4 and `name`6.
class Elements {
public:
    void add(bool v4, const std::string& element) {
        std::string& list = v4 ? v4_ : v6_;
        list += (list.empty() ? "" : ", ") + element;
    }
    std::string text(std::string_view command, const std::string& name) const {
        std::string out;
        if (!v4_.empty()) out += in_table(command, name + "4 { ") + v4_ + " }\n";
        if (!v6_.empty()) out += in_table(command, name + "6 { ") + v6_ + " }\n";
        return out;
    }

private:
    std::string v4_;
    std::string v6_;
};

// Intervals of one set must not overlap: those within others go.
std::vector<Network> outermost(std::vector<Network> networks) {
    std::ranges::sort(networks, {}, [](const Network& one) { return std::pair(one.address(), one.mapped_bits()); });
    std::vector<Network> out;
    for (const Network& one : networks) {
        const bool within =
            !out.empty() && out.back().address().is_v4() == one.address().is_v4() && out.back().contains(one.address());
        if (!within) out.push_back(one);
    }
    return out;
}

std::string intervals(const std::string& name, const std::vector<Network>& networks) {
    Elements elements;
    for (const Network& one : outermost(networks)) elements.add(one.address().is_v4(), element(one));
    return elements.text("add element", name);
}

// A reset tells the client at once; an ICMP error would be one of few that the kernel sends a second. Over UDP nothing
// is said: the sender may be forged.
std::string refusal(const Port& port) {
    const bool v4 = port.address.is_v4();
    std::string match;
    if (!port.address.is_unspecified())
        match = (v4 ? "ip daddr " : "ip6 daddr ") + port.address.to_string() + " ";
    else if (!port.both_families)
        match = v4 ? "meta nfproto ipv4 " : "meta nfproto ipv6 ";
    const std::string number = std::to_string(port.port);
    const std::string what =
        port.udp ? "udp dport " + number + " drop\n" : "tcp dport " + number + " reject with tcp reset\n";
    return in_table("add rule", "refuse ") + match + what;
}

std::string filled(const Frame& frame) {
    std::string out = intervals("banned", frame.banned) + intervals("allowed", frame.allowed);
    for (const Port& port : frame.ports) {
        if (port.port != 0) out += refusal(port);
    }
    return out;
}

constexpr std::string_view skeleton = R"( {
    set clients4 { type ipv4_addr; flags timeout; }
    set clients6 { type ipv6_addr; flags timeout; }
    set banned4 { type ipv4_addr; flags interval; }
    set banned6 { type ipv6_addr; flags interval; }
    set allowed4 { type ipv4_addr; flags interval; }
    set allowed6 { type ipv6_addr; flags interval; }
    chain refuse {
    }
    chain arriving {
        type filter hook input priority filter - 10; policy accept;
        ct state != new accept
        ip saddr @allowed4 accept
        ip6 saddr @allowed6 accept
        ip saddr @clients4 goto refuse
        ip6 saddr & ffff:ffff:ffff:ffff:: @clients6 goto refuse
        ip saddr @banned4 goto refuse
        ip6 saddr @banned6 goto refuse
    }
}
)";

}  // namespace

std::string create(const Frame& frame) {
    return withdraw() + in_table("table", "") + std::string(skeleton) + filled(frame);
}

std::string replace(const Frame& frame) {
    std::string out = in_table("flush chain", "refuse\n");
    for (const char* set : {"banned4", "banned6", "allowed4", "allowed6"}) out += in_table("flush set", set) + "\n";
    return out + filled(frame);
}

// The timeout of one that is there already would stay: it goes first.
std::string add(std::span<const BannedClient> clients, SteadyTime now) {
    std::vector<ClientKey> keys;
    Elements elements;
    for (const BannedClient& one : clients) {
        using std::chrono::milliseconds;
        const auto left = std::chrono::duration_cast<milliseconds>(one.expires - now);
        keys.push_back(one.client);
        if (one.expires != Entry::never && left < milliseconds(1)) continue;  // 0 would be for ever
        const std::string timeout =
            one.expires == Entry::never ? "" : " timeout " + std::to_string(left.count()) + "ms";
        elements.add(one.client.network().address().is_v4(), element(one.client) + timeout);
    }
    return remove(keys) + elements.text("add element", "clients");
}

// To remove what is not there is an error; to add what is there is none.
std::string remove(std::span<const ClientKey> clients) {
    Elements elements;
    for (const ClientKey client : clients) elements.add(client.network().address().is_v4(), element(client));
    return elements.text("add element", "clients") + elements.text("delete element", "clients");
}

std::string probe() { return in_table("add chain", "refuse\n"); }

std::string withdraw() { return in_table("add table", "") + "\n" + in_table("delete table", "") + "\n"; }

}  // namespace sallyport::guard::kernel_rules
