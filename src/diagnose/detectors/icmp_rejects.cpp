// Connections that ICMP errors refuse. Clients do not always get them or heed them, and kernels send only about one a
// second to each client after a burst of six: then the seconds come back that a reject was meant to save.
#include "diagnose/detectors/all.hpp"

#include "diagnose/icmp_text.hpp"
#include "diagnose/schedule.hpp"
#include "diagnose/wording.hpp"

#include <algorithm>

namespace sallyport::diagnose {

namespace {

constexpr double delayed = 0.5;  // seconds

// One attempt at a port that answers by ICMP.
struct Rejected {
    const Flow* flow = nullptr;
    std::vector<Time> syns;
    std::size_t errors = 0;
    Time first_error = 0;
    std::size_t syns_after = 0;  // sent though the error was there

    double waited() const {
        return errors == 0 ? seconds(syns.front(), syns.back()) : seconds(syns.front(), first_error);
    }
};

struct Rejections {
    std::vector<Rejected> attempts;
    std::size_t syns = 0, errors = 0;
    const IcmpError* error = nullptr;
};

Rejected read(const Scene& scene, const Flow& flow, Finding& finding, const IcmpError*& kind) {
    Rejected out{.flow = &flow, .syns = {}};
    scene.flows.each_event(flow, [&](const Event& event) {
        if (event.kind == Event::Kind::syn && event.side == Side::client) {
            out.syns.push_back(event.time);
            if (out.errors > 0) ++out.syns_after;
            finding.add_packet(event.packet);
        }
        const auto* error = event.kind == Event::Kind::icmp ? scene.flows.icmp(event) : nullptr;
        if (error == nullptr || !is_reject(*error)) return;
        if (out.errors++ == 0) out.first_error = event.time;
        if (kind == nullptr) kind = error;
        finding.add_packet(event.packet);
    });
    return out;
}

void add_fallback(const Scene& scene, const Flow& flow, Time first, Time last, Finding& finding) {
    const auto rescue = find_rescue(scene, flow, first, last);
    if (!rescue) return;
    finding.fallback = Fallback{
        .server = rescue->flow->server.ip, .port = rescue->flow->server.port, .after = seconds(first, rescue->at)};
}

void tell_honored(const Rejections& rejections, Finding& finding) {
    finding.id = "icmp-reject";
    finding.severity = Severity::info;
    finding.text = endpoint_text(finding.server, finding.port) + " refuses " + finding.client.to_string() + " by " +
                   icmp_text(*rejections.error) + ", and the client heeds it: no time is lost.";
    if (finding.fallback) {
        finding.text += " It went on to port " + std::to_string(finding.fallback->port) + " after " +
                        seconds_text(finding.fallback->after) + ".";
    }
    finding.why = "Each SYN was answered by an ICMP error that quotes it, from " +
                  rejections.error->reporter.to_string() + " (" + packets_text(finding.packets) +
                  "); none was repeated.";
    finding.vantage =
        "Kernels limit ICMP errors to about one a second for each client: many connections at once would wait.";
}

void tell_not_honored(const Rejections& rejections, Finding& finding) {
    finding.id = "icmp-not-honoured";
    finding.text = "ICMP rejects do not help " + finding.client.to_string() + ": " +
                   endpoint_text(finding.server, finding.port) + " answers " +
                   count_text(rejections.syns, "SYN", "SYNs") + " with " +
                   count_text(rejections.errors, "ICMP error", "ICMP errors") + ", " + icmp_text(*rejections.error) +
                   ", and the client keeps trying.";
    if (finding.fallback) {
        finding.text += " It reached port " + std::to_string(finding.fallback->port) + " only after " +
                        seconds_text(finding.fallback->after) + ".";
    }
    finding.why = "SYNs go on behind the errors that quote them (" + packets_text(finding.packets) + ").";
    finding.vantage =
        "Whether the errors get lost on the way or the client's system disregards them can't be seen from here.";
    finding.next = "Capture at the client: do the ICMP errors arrive? Firewalls on the way often drop them.";
}

void tell_limited(const Rejections& rejections, Finding& finding) {
    std::size_t late = 0;
    double least = 1e9, most = 0;
    for (const Rejected& attempt : rejections.attempts) {
        if (attempt.waited() < delayed) continue;
        ++late;
        least = std::min(least, attempt.waited());
        most = std::max(most, attempt.waited());
    }
    const std::size_t all = rejections.attempts.size();
    finding.id = "icmp-rate-limited";
    finding.confidence = Confidence::likely;
    finding.text = "ICMP rejects of " + endpoint_text(finding.server, finding.port) + " are rate-limited: of " +
                   count_text(all, "connection", "connections") + " of " + finding.client.to_string() + " " +
                   std::to_string(all - late) + " were refused at once and " + std::to_string(late) + " waited " +
                   seconds_text(least) + " to " + seconds_text(most) + ".";
    finding.why = count_text(rejections.syns, "SYN", "SYNs") + " got only " +
                  count_text(rejections.errors, "ICMP error", "ICMP errors") +
                  "; the first ones were answered at once, later ones about one a second, as Linux does "
                  "(net.ipv4.icmp_ratelimit).";
    finding.vantage =
        "That the errors were never sent, rather than lost on the way, is certain only where the server itself is "
        "captured (nstat: IcmpOutRateLimitHost).";
    finding.details = {{.key = "connections", .value = std::to_string(all), .number = true},
                       {.key = "delayed", .value = std::to_string(late), .number = true},
                       {.key = "syns", .value = std::to_string(rejections.syns), .number = true},
                       {.key = "icmp_errors", .value = std::to_string(rejections.errors), .number = true}};
}

// The longest wait of one connection: they ran side by side.
void add_longest_wait(const Rejections& rejections, Finding& finding) {
    const auto longest = std::ranges::max_element(rejections.attempts, {}, &Rejected::waited);
    const Time first = longest->syns.front();
    finding.lost.push_back({first, first + static_cast<Time>(longest->waited() * 1e9)});
}

class IcmpRejects : public Detector {
public:
    void conclude(const Scene& scene, Findings& findings) override {
        for (const Approach& approach : scene.approaches()) judge(scene, approach, findings);
    }

private:
    static void judge(const Scene& scene, const Approach& approach, Findings& findings) {
        Finding finding{.severity = Severity::error,
                        .client = approach.client,
                        .server = approach.server,
                        .port = approach.port,
                        .protocol = "tcp"};
        Rejections rejections;
        bool goes_on = false, waits = false;
        const IcmpTimes rejects(scene, approach);
        for (const Flow* flow : approach.flows) {
            if (flow->of(Side::server).packets > 0 || !rejects.near(*flow)) continue;
            auto attempt = read(scene, *flow, finding, rejections.error);
            if (attempt.syns.empty()) continue;
            rejections.syns += attempt.syns.size();
            rejections.errors += attempt.errors;
            goes_on = goes_on || attempt.syns_after > 0;
            waits = waits || attempt.waited() >= delayed;
            rejections.attempts.push_back(std::move(attempt));
        }
        if (rejections.error == nullptr) return;
        const Rejected& first = rejections.attempts.front();
        add_fallback(scene, *first.flow, first.syns.front(), rejections.attempts.back().syns.back(), finding);
        if (goes_on) {
            const Time last = rejections.attempts.back().syns.back();
            const auto rescue = find_rescue(scene, *first.flow, first.syns.front(), last);
            finding.lost.push_back({first.syns.front(), rescue ? rescue->at : last});
            finding.lost_at_least = !rescue;
            finding.schedule = classify(first.syns).shape;
            tell_not_honored(rejections, finding);
        } else if (waits) {
            add_longest_wait(rejections, finding);
            tell_limited(rejections, finding);
        } else {
            tell_honored(rejections, finding);
        }
        if (finding.severity != Severity::info) {
            finding.fix = reject_fix(finding.server, finding.port,
                                     scene.place_of(finding.server, first.flow->of(Side::client).time_to_live));
            finding.fix.advice =
                "Refuse by a TCP reset instead of ICMP: resets are not limited, and every client heeds them.";
        }
        findings.push_back(std::move(finding));
    }
};

}  // namespace

std::unique_ptr<Detector> make_icmp_rejects() { return std::make_unique<IcmpRejects>(); }

}  // namespace sallyport::diagnose
