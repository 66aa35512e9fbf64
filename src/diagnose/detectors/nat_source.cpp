// A client whose address changes from one connection to the next, or from one packet to the next: a NAT pool that is
// not sticky. Servers that bind a session to an address then deny it.
#include "diagnose/detectors/all.hpp"

#include "diagnose/identity.hpp"
#include "diagnose/wording.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <tuple>

namespace sallyport::diagnose {

namespace {

constexpr double soon = 300;  // seconds: devices that move do it less often
constexpr std::size_t shown_value = 40;  // bytes of an identity that are printed

// One connection whose client says who it is.
struct Use {
    const Flow* flow = nullptr;
    IpAddress source{};  // of IPv6 the network: hosts change the rest by themselves
    PacketNumber packet = 0;
};

// All of one client, by what it says of itself.
struct Uses {
    std::vector<Use> list;
    bool secret = false;
    bool shared = false;
};

IpAddress network_of(const IpAddress& address) {
    if (address.is_v4()) return address;
    auto bytes = address.bytes();
    std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
    return IpAddress::v6(bytes);
}

Fix sticky_fix(const IpAddress& client, const IpAddress& source) {
    const bool v4 = client.is_v4();
    return {
        .nft = "nft insert rule " + std::string(v4 ? "ip" : "ip6") + " nat postrouting snat to " + (v4 ? "ip" : "ip6") +
               " saddr map { " + client.to_string() + " : " + source.to_string() + " }",
        .iptables = std::string(v4 ? "iptables" : "ip6tables") + " -t nat -I POSTROUTING -s " + client.to_string() +
                    " -j SNAT --to-source " + source.to_string(),
        .advice =
            "On the NAT: give each client an address of its own from a map; where a pool must do, add \"persistent\"."};
}

std::string list_of(const std::set<IpAddress>& addresses) {
    constexpr std::size_t most = 8;
    std::string out;
    std::size_t told = 0;
    for (const auto& address : addresses) {
        if (told++ == most) return out + " and " + std::to_string(addresses.size() - most) + " more";
        out += (out.empty() ? "" : ", ") + address.to_string();
    }
    return out;
}

class NatSource : public Detector {
public:
    void see(const Sighting& sighting, Scene& scene) override {
        if (sighting.side != Side::client || sighting.repeated) return;
        // The first message tells; of TURN it is the one behind the challenge.
        const bool tcp = sighting.packet.protocol == packet::protocol::tcp;
        const auto said = sighting.flow.of(Side::client).payload_packets;
        if (said > (tcp ? 1U : 3U)) return;
        if (auto identity = find_identity(sighting.packet.payload)) {
            scene.saw_claim(
                {.identity = std::move(*identity), .flow = sighting.flow.number, .packet = sighting.number});
        }
    }

    void conclude(const Scene& scene, Findings& findings) override {
        const std::size_t before = findings.concluded();
        two_legs(scene, findings);
        // The same fault, seen a less certain way.
        if (findings.concluded() == before) each_packet(scene, findings);
        if (findings.concluded() == before) one_leg(scene, findings);
    }

private:
    static Finding begun(const IpAddress& client, const Flow& flow, Confidence confidence) {
        return {.id = "nat-unstable",
                .severity = Severity::error,
                .confidence = confidence,
                .client = client,
                .server = flow.server.ip,
                .port = flow.server.port,
                .protocol = "tcp"};
    }

    static void add_sources(const std::set<IpAddress>& sources, std::size_t connections, std::size_t reset,
                            Finding& finding) {
        finding.details = {{.key = "sources", .value = list_of(sources)},
                           {.key = "connections", .value = std::to_string(connections), .number = true},
                           {.key = "reset", .value = std::to_string(reset), .number = true}};
    }

    // The inside of a NAT and its outside are both in the capture: one connection has one initial sequence number.
    static void two_legs(const Scene& scene, Findings& findings) {
        std::map<IpAddress, std::vector<std::pair<const Flow*, const Flow*>>> by_client;
        scene.flows.each([&](const Flow& flow) {
            const Flow* inside = flow.is_twin() ? scene.flows.by_number(flow.twin_of) : nullptr;
            if (inside == nullptr) return;
            const Flow* outside = &flow;
            // Nearer to the client, a packet has passed fewer routers.
            if (inside->of(Side::client).time_to_live < outside->of(Side::client).time_to_live)
                std::swap(inside, outside);
            by_client[inside->client.ip].emplace_back(inside, outside);
        });
        for (const auto& [client, legs] : by_client) {
            std::set<IpAddress> sources;
            std::size_t reset = 0;
            for (const auto& [inside, outside] : legs) {
                sources.insert(outside->client.ip);
                reset += outside->of(Side::server).reset ? 1 : 0;
            }
            if (sources.size() < 2) continue;
            Finding finding = begun(client, *legs.front().first, Confidence::certain);
            for (const auto& [inside, outside] : legs) {
                finding.add_packet(inside->of(Side::client).first_packet);
                finding.add_packet(outside->of(Side::client).first_packet);
            }
            finding.text = "The NAT gives " + client.to_string() +
                           " another address from connection to connection: " + std::to_string(sources.size()) +
                           " addresses for " + count_text(legs.size(), "connection", "connections") + " to " +
                           endpoint_text(finding.server, finding.port) + " (" + list_of(sources) + ")." +
                           (reset > 0 ? " " + count_text(reset, "session", "sessions") + " of these " +
                                            (reset == 1 ? "was" : "were") + " reset by the server."
                                      : "");
            finding.why =
                "Both sides of the NAT are captured, and the connections are paired by their initial sequence numbers "
                "(" +
                packets_text(finding.packets) + "): " + client.to_string() + " became " + in_order(legs) + ".";
            finding.vantage = "Nothing is missing for this: both legs are there.";
            finding.fix = sticky_fix(client, *sources.begin());
            add_sources(sources, legs.size(), reset, finding);
            findings.push_back(std::move(finding));
        }
    }

    static std::string in_order(std::span<const std::pair<const Flow*, const Flow*>> legs) {
        constexpr std::size_t most = 12;
        std::string out;
        for (const auto& [inside, outside] : legs.first(std::min(most, legs.size())))
            out += (out.empty() ? "" : ", then ") + outside->client.ip.to_string();
        return out;
    }

    // One connection that goes on from another address: it answers a SYN-ACK that another address has got.
    static void each_packet(const Scene& scene, Findings& findings) {
        std::map<std::tuple<SocketAddress, std::uint16_t>, const Flow*> opened;
        scene.flows.each([&](const Flow& flow) {
            if (flow.protocol != packet::protocol::tcp || !flow.of(Side::client).opened ||
                !flow.of(Side::server).opened)
                return;
            opened.emplace(std::tuple(flow.server, flow.client.port), &flow);
        });
        std::map<const Flow*, std::vector<const Flow*>> strays;
        scene.flows.each([&](const Flow& flow) {
            const auto& client = flow.of(Side::client);
            if (flow.protocol != packet::protocol::tcp || client.opened || !client.acknowledges) return;
            const auto found = opened.find(std::tuple(flow.server, flow.client.port));
            if (found == opened.end() || found->second->client.ip == flow.client.ip) return;
            const auto& server = found->second->of(Side::server);
            if (client.acknowledged - (server.initial_sequence + 1) > server.bytes + 1) return;
            strays[found->second].push_back(&flow);
        });
        for (const auto& [flow, others] : strays) {
            std::set<IpAddress> sources{flow->client.ip};
            Finding finding = begun(flow->client.ip, *flow, Confidence::certain);
            finding.add_packet(flow->of(Side::client).first_packet);
            for (const Flow* stray : others) {
                sources.insert(stray->client.ip);
                finding.add_packet(stray->of(Side::client).first_packet);
            }
            finding.text = "The NAT changes the address within one connection: port " +
                           std::to_string(flow->client.port) + " to " + endpoint_text(finding.server, finding.port) +
                           " comes from " + list_of(sources) + ".";
            finding.why = "Packets from other addresses acknowledge the SYN-ACK that went to " +
                          flow->client.ip.to_string() + " (" + packets_text(finding.packets) + ").";
            finding.vantage = "The address of the client behind the NAT is not in the capture.";
            finding.fix = sticky_fix(flow->client.ip, flow->client.ip);
            finding.fix.nft.clear();  // the inside address is not known
            finding.fix.iptables.clear();
            add_sources(sources, 1, 0, finding);
            findings.push_back(std::move(finding));
        }
    }

    // Outside of the NAT alone: who the client says it is stays the same.
    static void one_leg(const Scene& scene, Findings& findings) {
        std::map<std::pair<std::string, bool>, Uses> by_identity;  // and by IPv4: hosts have both
        for (const Claim& claim : scene.claims()) {
            const Flow* flow = scene.flows.by_number(claim.flow);
            if (flow == nullptr || flow->is_twin()) continue;  // the same connection, on the other side of the NAT
            auto& uses = by_identity[{claim.identity.kind + "\n" + claim.identity.value, flow->client.ip.is_v4()}];
            if (!uses.list.empty() && uses.list.back().flow == flow) continue;
            uses.secret = claim.identity.secret;
            uses.shared = claim.identity.shared;
            uses.list.push_back({flow, network_of(flow->client.ip), claim.packet});
        }
        for (auto& [key, uses] : by_identity) {
            std::ranges::sort(uses.list, {}, [](const Use& use) { return std::tuple(use.flow->begin(), use.packet); });
            leave_out_relays(uses);
            const Changes changes = changes_of(uses);
            if (changes.sources.size() < 2 || (uses.shared && changes.reset == 0)) continue;
            findings.push_back(told(key.first, uses, changes));
        }
    }

    // A proxy says what its client says, from an address of its own and while it is connected to the client: that is
    // a connection to another server that begins during one from somebody else.
    static void leave_out_relays(Uses& uses) {
        constexpr std::ptrdiff_t most_open = 64;  // earlier ones that are looked at
        std::vector<Use> kept;
        for (const Use& use : uses.list) {
            const auto begin = kept.size() > most_open ? kept.end() - most_open : kept.begin();
            const bool relayed = std::any_of(begin, kept.end(), [&](const Use& other) {
                return other.flow->server.ip != use.flow->server.ip && other.source != use.source &&
                       end_of(*other.flow) >= use.flow->begin();
            });
            if (!relayed) kept.push_back(use);
        }
        uses.list = std::move(kept);
    }

    static Time end_of(const Flow& flow) {
        return std::max(flow.of(Side::client).last_time, flow.of(Side::server).last_time);
    }

    struct Changes {
        std::set<IpAddress> sources;
        std::size_t reset = 0;  // sessions that the server reset
        bool restless = false;  // it came from another address, and soon from another again

        bool unstable() const { return reset > 0 || restless; }
    };

    static Changes changes_of(const Uses& uses) {
        Changes out;
        const Use* before = nullptr;
        std::optional<Time> moved;
        for (const Use& use : uses.list) {
            out.sources.insert(use.source);
            out.reset += use.flow->of(Side::server).reset ? 1 : 0;
            if (before != nullptr && before->source != use.source) {
                out.restless = out.restless || (moved && seconds(*moved, use.flow->begin()) < soon);
                moved = use.flow->begin();
            }
            before = &use;
        }
        return out;
    }

    static Finding told(const std::string& key, const Uses& uses, const Changes& changes) {
        const auto& sources = changes.sources;
        const std::size_t reset = changes.reset;
        const Flow& first = *uses.list.front().flow;
        const auto line = key.find('\n');
        const std::string who = uses.secret ? "the same " + key.substr(0, line)
                                            : key.substr(0, line) + " " + key.substr(line + 1, shown_value);
        Finding finding = begun(first.client.ip, first, changes.unstable() ? Confidence::likely : Confidence::possible);
        finding.kind = key;
        finding.protocol = first.protocol == packet::protocol::tcp ? "tcp" : "udp";
        finding.severity = reset > 0 ? Severity::error : changes.unstable() ? Severity::warning : Severity::info;
        for (const Use& use : uses.list) finding.add_packet(use.packet);
        finding.text = "One client comes from " + std::to_string(sources.size()) + " addresses in " +
                       count_text(uses.list.size(), "session", "sessions") + " with " +
                       endpoint_text(finding.server, finding.port) + ": " + list_of(sources) + ".";
        if (reset > 0) finding.text += " The server reset " + std::to_string(reset) + " of them.";
        if (!changes.unstable()) finding.text += " It changes seldom: a device that moves looks the same.";
        finding.why = "The sessions name " + who + " in clear (" + packets_text(finding.packets) + ").";
        finding.vantage =
            "The inside of the NAT is not in the capture: that it is one device is concluded from what it says of "
            "itself.";
        finding.next = "Capture on both sides of the NAT at once: sequence numbers then prove it.";
        finding.fix.advice =
            "On the NAT: give each client an address of its own (snat to ip saddr map { CLIENT : ADDRESS }); where a "
            "pool must do, add \"persistent\".";
        add_sources(sources, uses.list.size(), reset, finding);
        return finding;
    }
};

}  // namespace

std::unique_ptr<Detector> make_nat_source() { return std::make_unique<NatSource>(); }

}  // namespace sallyport::diagnose
