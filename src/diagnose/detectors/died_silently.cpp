// Connections that were well and then get no answer any more, with segments of any size: a firewall or NAT on the way
// has forgotten them, or the peer is gone. Push connections, which are silent for many minutes, die like this.
#include "diagnose/detectors/all.hpp"

#include "diagnose/wording.hpp"

#include <algorithm>

namespace sallyport::diagnose {

namespace {

constexpr std::uint16_t repetitions = 3;
constexpr double long_silence = 30;  // seconds without a packet, after which state on the way may be gone
constexpr double lasting = 2;  // seconds of repetitions without an answer

struct Death {
    Side asks = Side::client;
    double idle = 0;  // seconds of silence before the segment that was never acknowledged
};

std::optional<Death> death_of(const Flow& flow) {
    for (const Side side : {Side::client, Side::server}) {
        const OneWay& sent = flow.of(side);
        const OneWay& peer = flow.of(other(side));
        if (sent.stuck_length == 0 || sent.stuck_count < repetitions || peer.packets == 0) continue;
        const bool well_before = flow.established && peer.acknowledges;
        const bool answered_since = peer.last_time > sent.new_payload_time;
        if (!well_before || answered_since || seconds(sent.new_payload_time, sent.stuck_time) < lasting) continue;
        return Death{.asks = side, .idle = seconds(peer.last_time, sent.new_payload_time)};
    }
    return std::nullopt;
}

class DiedSilently : public Detector {
public:
    void conclude(const Scene& scene, Findings& findings) override {
        for (const Approach& approach : scene.approaches()) {
            for (const Flow* flow : approach.flows) {
                const auto death = death_of(*flow);
                if (!death) continue;
                const bool told = std::ranges::any_of(findings, [&](const Finding& finding) {
                    return finding.id == "mtu-blackhole" && finding.client == approach.client &&
                           finding.server == approach.server && finding.port == approach.port;
                });
                if (!told) findings.push_back(tell(scene, *flow, *death));
            }
        }
    }

private:
    static Finding tell(const Scene& scene, const Flow& flow, const Death& death) {
        const OneWay& sent = flow.of(death.asks);
        const bool forgotten = death.idle >= long_silence;
        Finding finding{.id = "died-silently",
                        .severity = forgotten ? Severity::error : Severity::warning,
                        .confidence = forgotten ? Confidence::likely : Confidence::possible,
                        .client = flow.client.ip,
                        .server = flow.server.ip,
                        .port = flow.server.port,
                        .protocol = "tcp",
                        .lost = {{sent.new_payload_time, sent.stuck_time}},
                        .lost_at_least = true};
        scene.flows.each_event(flow, [&](const Event& event) {
            if (event.kind == Event::Kind::repeated && event.side == death.asks) finding.add_packet(event.packet);
        });
        finding.text = "A connection of " + finding.client.to_string() + " to " +
                       endpoint_text(finding.server, finding.port) +
                       " has died without a word: " + flow.end(death.asks).ip.to_string() + " repeats a segment " +
                       std::to_string(sent.stuck_count) + " times and gets no answer" +
                       (forgotten ? ", after " + seconds_text(death.idle) + " of silence." : ".");
        finding.why = "It was established and acknowledged before; " + packets_text(finding.packets) +
                      " repeat the same bytes, and nothing comes back, no reset either.";
        finding.vantage =
            "Whether a box on the way has forgotten the connection or the peer is gone can't be told from one side.";
        finding.next = "Compare the silence with the timeouts of the firewalls and NATs on the way.";
        finding.fix.advice =
            "Let connections be idle for longer on the way (Linux: net.netfilter.nf_conntrack_tcp_timeout_"
            "established), send keep-alives more often, and refuse packets of unknown connections by a reset "
            "instead of dropping them.";
        return finding;
    }
};

}  // namespace

std::unique_ptr<Detector> make_died_silently() { return std::make_unique<DiedSilently>(); }

}  // namespace sallyport::diagnose
