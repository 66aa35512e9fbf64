// SYN-ACKs that are repeated because no ACK arrives: the server answers, and the way back is broken.
#include "diagnose/detectors/all.hpp"

#include "diagnose/schedule.hpp"
#include "diagnose/wording.hpp"

#include <algorithm>

namespace sallyport::diagnose {

namespace {

struct HalfOpen {
    std::vector<Time> syns;
    std::size_t syn_acks = 0;
    const Flow* first = nullptr;
};

void add(const Scene& scene, const Flow& flow, HalfOpen& half, Finding& finding) {
    scene.flows.each_event(flow, [&](const Event& event) {
        if (event.kind == Event::Kind::syn) half.syns.push_back(event.time);
        if (event.kind == Event::Kind::syn_ack) ++half.syn_acks;
        if (event.kind == Event::Kind::syn || event.kind == Event::Kind::syn_ack) finding.add_packet(event.packet);
    });
    if (half.first == nullptr) half.first = &flow;
}

bool is_half_open(const Scene& scene, const Flow& flow) {
    const auto& client = flow.of(Side::client);
    if (!client.opened || client.acknowledges || client.reset || !flow.of(Side::server).opened) return false;
    std::size_t syn_acks = 0;
    scene.flows.each_event(flow, [&](const Event& event) { syn_acks += event.kind == Event::Kind::syn_ack ? 1 : 0; });
    return syn_acks >= 2;
}

std::string_view vantage_of(Place place) {
    switch (place) {
        case Place::server:
            return "Captured at the server: where the SYN-ACKs get lost on the way to the client can't be seen.";
        case Place::client:
            return "Captured at the client: the SYN-ACKs arrive at its interface, so its own firewall drops them, or "
                   "it wants "
                   "nothing of them.";
        default: return "It can't be seen from here where the SYN-ACKs get lost on the way to the client.";
    }
}

void tell(const HalfOpen& half, Place place, Finding& finding) {
    const bool asks_again = half.syns.size() > 1;
    finding.severity = asks_again ? Severity::error : Severity::warning;
    finding.confidence = !asks_again              ? Confidence::possible
                         : place == Place::client ? Confidence::likely
                                                  : Confidence::certain;
    finding.schedule = classify(half.syns).shape;
    finding.text = endpoint_text(finding.server, finding.port) + " answers " + finding.client.to_string() +
                   ", but the answer does "
                   "not arrive: " +
                   count_text(half.syns.size(), "SYN", "SYNs") + ", " +
                   count_text(half.syn_acks, "SYN-ACK", "SYN-ACKs") +
                   ", no ACK. The port is open, the return path is broken.";
    finding.why = "The server repeats its SYN-ACK" + std::string(asks_again ? " and the client its SYN" : "") + " (" +
                  packets_text(finding.packets) + ").";
    if (!asks_again) {
        finding.why += " The client asked only once: it may have sent the SYN under a false address, or scanned.";
    }
    finding.vantage = vantage_of(place);
    finding.next =
        "Look for asymmetric routes, a stateful firewall that saw only one direction, or a rule that drops packets "
        "to this client.";
    finding.fix.advice =
        "Let the answers take the way of the requests, or let the firewall on the way back pass "
        "established connections (nft: ct state established,related accept).";
}

class HalfOpenDetector : public Detector {
public:
    void conclude(const Scene& scene, Findings& findings) override {
        for (const Approach& approach : scene.approaches()) {
            HalfOpen half;
            Finding finding{.id = "synack-unacked",
                            .client = approach.client,
                            .server = approach.server,
                            .port = approach.port,
                            .protocol = "tcp"};
            for (const Flow* flow : approach.flows) {
                if (is_half_open(scene, *flow)) add(scene, *flow, half, finding);
            }
            if (half.first == nullptr) continue;
            std::ranges::sort(half.syns);
            if (half.syns.size() > 1) {
                const auto rescue = find_rescue(scene, *half.first, half.syns.front(), half.syns.back());
                finding.lost.push_back({half.syns.front(), rescue ? rescue->at : half.syns.back()});
                finding.lost_at_least = !rescue;
                if (rescue) {
                    finding.fallback = Fallback{.server = rescue->flow->server.ip,
                                                .port = rescue->flow->server.port,
                                                .after = seconds(half.syns.front(), rescue->at)};
                }
            }
            tell(half, scene.place_of(approach.server, half.first->of(Side::client).time_to_live), finding);
            findings.push_back(std::move(finding));
        }
    }
};

}  // namespace

std::unique_ptr<Detector> make_half_open() { return std::make_unique<HalfOpenDetector>(); }

}  // namespace sallyport::diagnose
