// A server that speaks first, and late: it is waiting for something of its own. Often that is a connection back to the
// client (ident, port 113), which a firewall drops.
#include "diagnose/detectors/all.hpp"

#include "diagnose/wording.hpp"

#include <algorithm>
#include <array>

namespace sallyport::diagnose {

namespace {

constexpr double late = 2;  // seconds
constexpr std::array<std::uint16_t, 7> speaks_first{21, 22, 25, 110, 143, 587, 6667};

// The connections of the server back to the client that stayed silent while the client waited.
std::vector<const Flow*> callbacks(const Scene& scene, const Flow& flow, Time from, Time to) {
    std::vector<const Flow*> out;
    for (const Flow* back : scene.of_client(flow.server.ip, from)) {
        if (back->of(Side::client).first_time > to) break;
        const bool silent = back->of(Side::server).packets == 0 && !back->established;
        if (back->server.ip == flow.client.ip && silent && scene.tries(*back).times.size() > 1) out.push_back(back);
    }
    return out;
}

// The silence back and the wait here are one: it ends with the greeting.
void charge(Findings& findings, const Flow& back, const Flow& flow, Interval wait) {
    for (Finding& finding : findings) {
        const bool same = finding.id == "syn-silent" && finding.client == back.client.ip &&
                          finding.server == back.server.ip && finding.port == back.server.port;
        if (!same) continue;
        finding.lost = {{back.of(Side::client).first_time, wait.to}};
        finding.lost_at_least = false;
        finding.text += " Meanwhile " + flow.client.ip.to_string() + " waited for the greeting of port " +
                        std::to_string(flow.server.port) + ".";
    }
}

class ServerFirst : public Detector {
public:
    void conclude(const Scene& scene, Findings& findings) override {
        for (const Approach& approach : scene.approaches()) {
            for (const Flow* flow : approach.flows) {
                if (judge(scene, *flow, findings)) break;
            }
        }
    }

private:
    static bool judge(const Scene& scene, const Flow& flow, Findings& findings) {
        const auto& client = flow.of(Side::client);
        const auto& server = flow.of(Side::server);
        if (!flow.established || server.payload_packets == 0) return false;
        if (client.payload_packets > 0 && client.payload_time <= server.payload_time) return false;
        const Interval wait{.from = server.first_time, .to = server.payload_time};
        if (seconds(wait.from, wait.to) < late) return false;
        const auto back = callbacks(scene, flow, wait.from, wait.to);
        if (back.empty() && std::ranges::count(speaks_first, flow.server.port) == 0) return false;
        for (const Flow* one : back) charge(findings, *one, flow, wait);
        findings.push_back(told(scene, flow, wait, back));
        return true;
    }

    static Finding told(const Scene& scene, const Flow& flow, Interval wait, const std::vector<const Flow*>& back) {
        Finding finding{.id = "server-first-delay",
                        .severity = Severity::warning,
                        .confidence = back.empty() ? Confidence::possible : Confidence::likely,
                        .client = flow.client.ip,
                        .server = flow.server.ip,
                        .port = flow.server.port,
                        .protocol = "tcp",
                        .packets = {flow.of(Side::client).first_packet},
                        .lost = {wait}};
        finding.text = endpoint_text(finding.server, finding.port) + " greets " + finding.client.to_string() +
                       " only " + seconds_text(seconds(wait.from, wait.to)) + " after it has accepted the connection.";
        finding.why = "It speaks first, and says nothing for that long (packet " +
                      std::to_string(in_file(flow.of(Side::server).payload_packet)) + " is the greeting).";
        if (back.empty()) {
            finding.next =
                "Look for what the server does for each client first: a look-up of its name (PTR), an ident query, a "
                "block list.";
            finding.fix.advice = "Let the server's resolver answer, or switch the look-up off.";
        } else {
            const Flow& first = *back.front();
            const auto tries = scene.tries(first);
            for (const auto packet : tries.packets) finding.add_packet(packet);
            finding.text += " It waits for its own connection to " + endpoint_text(first.server.ip, first.server.port) +
                            ", which gets no answer.";
            finding.why += " In between it sends " + count_text(tries.times.size(), "SYN", "SYNs") +
                           " to the client (" + packets_text(tries.packets) + ") that nobody answers.";
            finding.fix = reject_fix(first.server.ip, first.server.port, Place::server);
            finding.fix.advice =
                "At the client or its firewall: refuse the server's connection at once by a TCP reset.";
        }
        finding.add_packet(flow.of(Side::server).payload_packet);
        finding.vantage = "What the server waits for is concluded from what happened meanwhile.";
        return finding;
    }
};

}  // namespace

std::unique_ptr<Detector> make_server_first() { return std::make_unique<ServerFirst>(); }

}  // namespace sallyport::diagnose
