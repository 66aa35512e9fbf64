// Resets that are not from the peer: they acknowledge what was never sent, come from another distance, or the peer goes
// on as if nothing were.
#include "diagnose/detectors/all.hpp"

#include "diagnose/wording.hpp"

namespace sallyport::diagnose {

namespace {

struct Suspicion {
    const Event* reset = nullptr;
    std::string reason;
    Confidence confidence = Confidence::possible;
};

// Against a SYN the reset must acknowledge it. Afterwards only its distance and what its sender does then can tell.
Suspicion suspect(const Scene& scene, const Flow& flow) {
    Suspicion out;
    const auto& server = flow.of(Side::server);
    bool answered = false;
    scene.flows.each_event(flow, [&](const Event& event) {
        answered = answered || event.kind == Event::Kind::syn_ack;
        if (event.kind == Event::Kind::syn_ack && out.reset != nullptr && out.reason.empty()) {
            out.reason = "a SYN-ACK followed it";
            out.confidence = Confidence::likely;
        }
        if (event.kind != Event::Kind::reset || event.side != Side::server || out.reset != nullptr) return;
        const bool of_syn = !answered;
        if (of_syn && event.acknowledges && event.value != flow.of(Side::client).initial_sequence + 1) {
            out = {.reset = &event, .reason = "it acknowledges what was never sent", .confidence = Confidence::likely};
        } else if (of_syn || event.time_to_live != server.time_to_live) {
            out.reset = &event;
        }
    });
    if (out.reset == nullptr || !out.reason.empty()) return out;
    if (server.opened && out.reset->time_to_live != server.time_to_live) {
        const bool goes_on = server.last_time > out.reset->time;
        out.reason = "it came with a time to live of " + std::to_string(out.reset->time_to_live) +
                     ", the server's other packets with " + std::to_string(server.time_to_live) +
                     (goes_on ? ", and the server went on sending behind it" : "");
        out.confidence = goes_on ? Confidence::likely : Confidence::possible;
    }
    return out;
}

class ForgedReset : public Detector {
public:
    void conclude(const Scene& scene, Findings& findings) override {
        for (const Approach& approach : scene.approaches()) {
            for (const Flow* flow : approach.flows) {
                if (!flow->of(Side::server).reset) continue;
                const Suspicion suspicion = suspect(scene, *flow);
                if (suspicion.reset == nullptr || suspicion.reason.empty()) continue;
                findings.push_back(told(approach, suspicion));
                break;
            }
        }
    }

private:
    static Finding told(const Approach& approach, const Suspicion& suspicion) {
        Finding finding{.id = "rst-forged",
                        .severity = Severity::warning,
                        .confidence = suspicion.confidence,
                        .client = approach.client,
                        .server = approach.server,
                        .port = approach.port,
                        .protocol = "tcp",
                        .packets = {suspicion.reset->packet}};
        finding.text =
            "A reset in the name of " + endpoint_text(finding.server, finding.port) + " does not seem to be from it.";
        finding.why = "Packet " + std::to_string(in_file(suspicion.reset->packet)) + ": " + suspicion.reason + ".";
        finding.vantage = "Which box on the way sent it can't be seen; its distance is a hint.";
        finding.next = "Look for a firewall or intrusion prevention between client and server that resets connections.";
        finding.fix.advice =
            "Let the box on the way pass this service, or refuse it at the SYN, before anything was promised.";
        return finding;
    }
};

}  // namespace

std::unique_ptr<Detector> make_forged_reset() { return std::make_unique<ForgedReset>(); }

}  // namespace sallyport::diagnose
