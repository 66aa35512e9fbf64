// Large segments that never arrive while small ones do: a link on the way takes less, and the ICMP error that would say
// so is dropped. And the healthy case, where it arrives.
#include "diagnose/detectors/all.hpp"

#include "diagnose/icmp_text.hpp"
#include "diagnose/wording.hpp"

#include <algorithm>

namespace sallyport::diagnose {

namespace {

constexpr std::uint16_t repetitions = 3;
constexpr std::uint32_t large = 1200;  // bytes of payload
constexpr std::uint32_t of_maximum = 80;  // percent of the maximum segment that count as large as well
constexpr std::uint32_t least_large = 400;  // bytes, whatever the maximum

bool is_large(const OneWay& sent, const OneWay& peer) {
    if (sent.stuck_length >= large) return true;
    const std::uint32_t maximum = peer.maximum_segment;
    return maximum > 0 && sent.stuck_length >= least_large && 100 * sent.stuck_length >= of_maximum * maximum;
}

bool any_acknowledged(const OneWay& sent, const OneWay& peer) {
    return peer.acknowledges && (!sent.opened || peer.acknowledged != sent.initial_sequence + 1);
}

struct TooBig {
    const IcmpError* error = nullptr;
    PacketNumber packet = 0;
};

TooBig too_big(const Scene& scene, const Flow& flow) {
    TooBig out;
    scene.flows.each_event(flow, [&](const Event& event) {
        const auto* error = event.kind == Event::Kind::icmp ? scene.flows.icmp(event) : nullptr;
        if (out.error == nullptr && error != nullptr && is_too_big(*error)) out = {error, event.packet};
    });
    return out;
}

Finding begun(const Flow& flow, std::string_view id, Severity severity) {
    return {.id = id,
            .severity = severity,
            .client = flow.client.ip,
            .server = flow.server.ip,
            .port = flow.server.port,
            .protocol = "tcp"};
}

Fix clamp_fix(bool v4) {
    return {
        .nft = "nft add rule inet filter forward tcp flags syn tcp option maxseg size set rt mtu",
        .iptables = std::string(v4 ? "iptables" : "ip6tables") +
                    " -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu",
        .advice =
            "On the gateway in front of the narrow link: hold the segments of new connections to what fits (clamp the "
            "MSS). And let ICMP pass: " +
            std::string(v4 ? "type 3 code 4" : "ICMPv6 packet too big") + "."};
}

Finding blackhole(const Scene& scene, const Flow& flow, Side side) {
    const OneWay& sent = flow.of(side);
    Finding finding = begun(flow, "mtu-blackhole", Severity::error);
    finding.confidence = Confidence::likely;
    std::vector<Time> times{sent.new_payload_time};
    scene.flows.each_event(flow, [&](const Event& event) {
        if (event.kind != Event::Kind::repeated || event.side != side || event.value != sent.stuck_sequence) return;
        finding.add_packet(event.packet);
        times.push_back(event.time);
    });
    finding.lost = {{sent.new_payload_time, sent.stuck_time}};
    finding.lost_at_least = true;
    finding.text = "A segment of " + std::to_string(sent.stuck_length) + " bytes from " +
                   flow.end(side).ip.to_string() + " to " + flow.end(other(side)).ip.to_string() + " (port " +
                   std::to_string(flow.server.port) + ") never arrives: repeated " + std::to_string(sent.stuck_count) +
                   " times, while small ones pass.";
    finding.why =
        "Repeated at " + times_text(times) + " (" + packets_text(finding.packets) +
        "), never acknowledged; shorter segments of the same connection were, and no ICMP error about the size came.";
    finding.vantage = "Which link is too narrow, and who drops the ICMP error, can't be seen from here.";
    finding.next = "Try the path with: tracepath " + flow.end(other(side)).ip.to_string();
    finding.fix = clamp_fix(flow.server.ip.is_v4());
    finding.details = {{.key = "segment_bytes", .value = std::to_string(sent.stuck_length), .number = true}};
    return finding;
}

Finding discovered(const Flow& flow, const TooBig& seen) {
    Finding finding = begun(flow, "pmtud-ok", Severity::info);
    finding.packets = {seen.packet};
    finding.text = "The path between " + flow.client.ip.to_string() + " and " + flow.server.ip.to_string() +
                   " takes packets of " + std::to_string(seen.error->mtu) +
                   " bytes; the sender was told and sends smaller ones.";
    finding.why = icmp_text(*seen.error) + " from " + seen.error->reporter.to_string() + " (packet " +
                  std::to_string(in_file(seen.packet)) + "), and the connection went on.";
    finding.vantage = "Nothing is missing: path MTU discovery works here.";
    finding.details = {{.key = "mtu", .value = std::to_string(seen.error->mtu), .number = true}};
    return finding;
}

class PathMtu : public Detector {
public:
    void conclude(const Scene& scene, Findings& findings) override {
        scene.flows.each([&](const Flow& flow) {
            if (flow.protocol != packet::protocol::tcp || flow.is_twin()) return;
            const TooBig seen = too_big(scene, flow);
            for (const Side side : {Side::client, Side::server}) {
                const OneWay& sent = flow.of(side);
                const OneWay& peer = flow.of(other(side));
                const bool stuck = sent.stuck_length > 0 && sent.stuck_count >= repetitions;
                if (!stuck || peer.packets == 0 || scene.one_sided(flow.client.ip, flow.server.ip)) continue;
                if (seen.error != nullptr || !is_large(sent, peer) || !any_acknowledged(sent, peer)) continue;
                findings.push_back(blackhole(scene, flow, side));
                return;
            }
            const bool goes_on = flow.of(Side::client).stuck_length == 0 && flow.of(Side::server).stuck_length == 0;
            if (seen.error != nullptr && goes_on) findings.push_back(discovered(flow, seen));
        });
    }
};

}  // namespace

std::unique_ptr<Detector> make_path_mtu() { return std::make_unique<PathMtu>(); }

}  // namespace sallyport::diagnose
