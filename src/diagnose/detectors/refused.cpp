// Connections that a TCP reset refuses: the good way to say no. Windows asks again twice, half a second apart.
#include "diagnose/detectors/all.hpp"

#include "diagnose/wording.hpp"

#include <algorithm>

namespace sallyport::diagnose {

namespace {

constexpr double worth_a_warning = 0.5;  // seconds lost by repetitions

struct Refusals {
    std::vector<const Flow*> flows;
    std::uint8_t time_to_live = 0;  // of the first reset
};

// Refused by the book: no SYN-ACK, and the reset acknowledges the SYN (RFC 9293 section 3.10.7.1).
bool is_refused(const Scene& scene, const Flow& flow, Finding& finding, std::uint8_t& time_to_live) {
    if (flow.of(Side::server).opened || !flow.of(Side::server).reset) return false;
    bool refused = false;
    scene.flows.each_event(flow, [&](const Event& event) {
        const bool proper = event.kind == Event::Kind::reset && event.side == Side::server &&
                            event.value == flow.of(Side::client).initial_sequence + 1;
        if (proper && !refused) time_to_live = event.time_to_live;
        refused = refused || proper;
        if (proper || event.kind == Event::Kind::syn) finding.add_packet(event.packet);
    });
    return refused;
}

// Who sent it: a firewall on the way has another distance than the host.
std::string sender_of(const Refusals& refusals, const std::optional<Rescue>& rescue, const Finding& finding) {
    if (!rescue || rescue->flow->server.ip != finding.server)
        return "The reset comes from the server or a firewall in front of it.";
    const auto of_host = rescue->flow->of(Side::server).time_to_live;
    const std::string pair = std::to_string(refusals.time_to_live) + " and " + std::to_string(of_host);
    if (of_host == refusals.time_to_live) {
        return "The reset has come as far as the server's other packets (time to live " + pair +
               "): it is from the host or its own firewall.";
    }
    return "The reset has not come as far as the server's other packets (time to live " + pair +
           "): something on the way sends it.";
}

class Refused : public Detector {
public:
    void conclude(const Scene& scene, Findings& findings) override {
        for (const Approach& approach : scene.approaches()) judge(scene, approach, findings);
    }

private:
    static void judge(const Scene& scene, const Approach& approach, Findings& findings) {
        Finding finding{.id = "refused-rst",
                        .client = approach.client,
                        .server = approach.server,
                        .port = approach.port,
                        .protocol = "tcp"};
        Refusals refusals;
        double longest = 0;
        for (const Flow* flow : approach.flows) {
            std::uint8_t time_to_live = 0;
            if (!is_refused(scene, *flow, finding, time_to_live)) continue;
            if (refusals.flows.empty()) refusals.time_to_live = time_to_live;
            refusals.flows.push_back(flow);
            const auto tries = scene.tries(*flow);
            const double spent = tries.times.empty() ? 0 : seconds(tries.times.front(), tries.times.back());
            if (spent >= worth_a_warning) finding.lost.push_back({tries.times.front(), tries.times.back()});
            longest = std::max(longest, spent);
        }
        if (refusals.flows.empty()) return;
        const Time first = refusals.flows.front()->of(Side::client).first_time;
        const auto rescue =
            find_rescue(scene, *refusals.flows.front(), first, refusals.flows.front()->of(Side::client).last_time);
        if (rescue) {
            finding.fallback = Fallback{.server = rescue->flow->server.ip,
                                        .port = rescue->flow->server.port,
                                        .after = seconds(first, rescue->at)};
        }
        finding.severity = longest >= worth_a_warning ? Severity::warning : Severity::info;
        finding.text = endpoint_text(finding.server, finding.port) + " refuses " + finding.client.to_string() +
                       " by a TCP reset" +
                       (finding.lost.empty() ? " at once: no time is lost."
                                             : ", and the client asks again all the same, as Windows does.");
        if (finding.fallback) {
            finding.text += " The client went on to port " + std::to_string(finding.fallback->port) + " after " +
                            seconds_text(finding.fallback->after) + ".";
        }
        finding.why = "Each SYN got a reset that acknowledges it (" + packets_text(finding.packets) + "). " +
                      sender_of(refusals, rescue, finding);
        finding.vantage = "Whether nothing listens there or a rule refuses it looks the same from outside.";
        findings.push_back(std::move(finding));
    }
};

}  // namespace

std::unique_ptr<Detector> make_refused() { return std::make_unique<Refused>(); }

}  // namespace sallyport::diagnose
