// SYNs that nobody answers: the packets are dropped, and the client waits until its patience ends.
#include "diagnose/detectors/all.hpp"

#include "diagnose/schedule.hpp"
#include "diagnose/wording.hpp"

#include <algorithm>
#include <iterator>

namespace sallyport::diagnose {

namespace {

constexpr std::size_t most_ports = 16;  // of one server that a client may find silent before it is a scan

bool is_silent(const Flow& flow) { return flow.of(Side::server).packets == 0 && !flow.of(Side::client).acknowledges; }

struct Silence {
    std::vector<Time> times{};  // of all SYNs
    std::vector<Time> longest{};  // of the SYNs of the attempt that was repeated most
    std::size_t attempts = 0;
    std::size_t answered = 0;  // attempts at the same port that got an answer
    Place place = Place::unknown;
};

void cost(const Scene& scene, const Episode& episode, Finding& finding) {
    const Flow& failed = *episode.flows.front();
    const auto rescue = find_rescue(scene, failed, episode.first, episode.last);
    finding.lost.push_back({episode.first, rescue ? rescue->at : episode.last});
    if (!rescue) finding.lost_at_least = true;
    if (!rescue || finding.fallback) return;
    finding.fallback = Fallback{.server = rescue->flow->server.ip,
                                .port = rescue->flow->server.port,
                                .after = seconds(episode.first, rescue->at)};
}

std::string outcome(const Finding& finding, const Schedule& schedule) {
    if (finding.fallback) {
        const auto& fallback = *finding.fallback;
        const bool elsewhere = fallback.server != finding.server;
        return " It then reached " + std::string(elsewhere ? fallback.server.to_string() + " " : "") + "port " +
               std::to_string(fallback.port) + ", " + seconds_text(fallback.after) + " after the first SYN.";
    }
    std::string out = " No other attempt that succeeded is in the capture.";
    if (schedule.gives_up > 0 && !schedule.looks_like.empty()) {
        out += " A client of this kind (" + std::string(schedule.looks_like) + ") gives up after about " +
               std::to_string(static_cast<int>(schedule.gives_up)) + " s.";
    }
    return out;
}

Finding told(const Silence& silence, Finding finding) {
    const Schedule schedule = classify(silence.longest);
    finding.schedule = schedule.shape;
    const std::string syns = count_text(silence.times.size(), "SYN", "SYNs");
    finding.text =
        endpoint_text(finding.server, finding.port) + " does not answer " + finding.client.to_string() + ": " + syns +
        (silence.attempts > 1 ? " in " + std::to_string(silence.attempts) + " attempts" : "") + " at " +
        times_text(std::span(silence.times).first(std::min<std::size_t>(silence.times.size(), 12))) +
        (silence.times.size() > 12 ? " and so on" : "") + ", and nothing came back." + outcome(finding, schedule);
    finding.why =
        "The same SYN is repeated (" + packets_text(finding.packets) + ") without SYN-ACK, reset or ICMP error";
    if (schedule.shape != "unknown") {
        finding.why += ", at times that are " + finding.schedule;
        if (!schedule.looks_like.empty()) finding.why += " (looks like " + std::string(schedule.looks_like) + ")";
    }
    finding.why += finding.fallback && finding.fallback->server == finding.server
                       ? "; the same server answers on port " + std::to_string(finding.fallback->port) +
                             ", so the way to it and back is open."
                       : ".";
    if (silence.answered > 0) {
        finding.why += " " + count_text(silence.answered, "other attempt", "other attempts") +
                       " at this port got an answer: overload or a rate limit is as likely as a rule.";
    }
    finding.vantage = silence_vantage(silence.place);
    finding.next = silence.place == Place::server ? "Look for the rule: nft list ruleset, or sallyport explain."
                                                  : "Capture at the server at the same time: do the SYNs arrive there?";
    finding.fix = reject_fix(finding.server, finding.port, silence.place);
    return finding;
}

// Who knocks at very many ports is looking for an open one: told once, and not as a fault of the firewall.
Finding scan_of(std::span<const Finding> ports) {
    Finding finding = ports.front();
    finding.severity = Severity::info;
    finding.confidence = Confidence::likely;
    finding.lost.clear();
    finding.fallback.reset();
    finding.fix = {};
    finding.text = finding.client.to_string() + " tries " + std::to_string(ports.size()) + " ports of " +
                   finding.server.to_string() + " that do not answer (first " + std::to_string(finding.port) +
                   "): it looks like a scan.";
    finding.next = "Is this client one of yours? Then look at what it looks for.";
    return finding;
}

class SilentSyn : public Detector {
public:
    void conclude(const Scene& scene, Findings& findings) override {
        std::vector<Finding> of_pair;  // approaches come sorted by client and server
        for (const Approach& approach : scene.approaches()) {
            if (scene.one_sided(approach.client, approach.server)) continue;
            const bool other = !of_pair.empty() &&
                               (of_pair.front().client != approach.client || of_pair.front().server != approach.server);
            if (other) flush(of_pair, findings);
            judge(scene, approach, of_pair);
        }
        flush(of_pair, findings);
    }

private:
    static void flush(std::vector<Finding>& of_pair, Findings& findings) {
        if (of_pair.size() > most_ports) of_pair = {scan_of(of_pair)};
        std::ranges::move(of_pair, std::back_inserter(findings));
        of_pair.clear();
    }

    static void judge(const Scene& scene, const Approach& approach, std::vector<Finding>& findings) {
        Silence silence;
        std::vector<const Flow*> silent;
        const IcmpTimes rejects(scene, approach);
        for (const Flow* flow : approach.flows) {
            if (rejects.near(*flow)) continue;  // that is another fault
            if (is_silent(*flow)) silent.push_back(flow);
            if (flow->of(Side::server).packets > 0) ++silence.answered;
        }
        Finding finding{.id = "syn-silent",
                        .severity = Severity::error,
                        .client = approach.client,
                        .server = approach.server,
                        .port = approach.port,
                        .protocol = "tcp"};
        for (const Episode& episode : episodes_of(scene, silent)) {
            const std::size_t before = silence.times.size();
            for (const Flow* flow : episode.flows) {
                const auto tries = scene.tries(*flow);
                silence.times.insert(silence.times.end(), tries.times.begin(), tries.times.end());
                if (tries.times.size() > silence.longest.size()) silence.longest = tries.times;
                for (const auto packet : tries.packets) finding.add_packet(packet);
            }
            // One SYN proves nothing: its answer may have come behind the end of the capture.
            if (silence.times.size() - before < 2) {
                silence.times.resize(before);
                continue;
            }
            silence.attempts += episode.flows.size();
            cost(scene, episode, finding);
        }
        if (silence.attempts == 0) return;
        silence.place = scene.place_of(approach.server, silent.front()->of(Side::client).time_to_live);
        finding.confidence = silence.answered > 0 ? Confidence::possible : silence_confidence(silence.place);
        if (silence.answered > 0) finding.severity = Severity::warning;
        findings.push_back(told(silence, std::move(finding)));
    }
};

}  // namespace

std::unique_ptr<Detector> make_silent_syn() { return std::make_unique<SilentSyn>(); }

}  // namespace sallyport::diagnose
