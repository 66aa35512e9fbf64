#include "diagnose/time_line.hpp"

#include "base/html.hpp"
#include "diagnose/time_scale.hpp"
#include "diagnose/wording.hpp"
#include "telemetry/escape.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <vector>

namespace sallyport::diagnose {

namespace {

constexpr std::size_t most_clients = 8;
constexpr std::size_t most_lanes = 24;
constexpr double width = 960, left = 210, right = 24;  // pixels
constexpr double lane_height = 26, top = 34, bottom = 12;
constexpr double room_for_words = 90;
constexpr Time beginning = 2'000'000'000;  // nanoseconds

// Connections of a client to one port, side by side on one lane.
struct Lane {
    IpAddress server;
    std::uint16_t port = 0;
    std::vector<const Attempt*> attempts;
    std::vector<Interval> lost;
};

std::string pixels(double value) {
    return std::to_string(static_cast<int>(std::lround(value * 10)) / 10) + "." +
           std::to_string(static_cast<int>(std::lround(value * 10)) % 10);
}

std::vector<Lane> lanes_of(const Report& report, const IpAddress& client) {
    std::vector<Lane> out;
    const auto lane = [&out](const IpAddress& server, std::uint16_t port) -> Lane* {
        const auto found =
            std::ranges::find_if(out, [&](const Lane& l) { return l.server == server && l.port == port; });
        if (found != out.end()) return &*found;
        if (out.size() == most_lanes) return nullptr;
        return &out.emplace_back(Lane{.server = server, .port = port, .attempts = {}, .lost = {}});
    };
    for (const Finding& finding : report.findings) {
        if (finding.client != client || finding.lost.empty()) continue;
        if (auto* at = lane(finding.server, finding.port)) {
            at->lost.insert(at->lost.end(), finding.lost.begin(), finding.lost.end());
        }
    }
    for (const Attempt& attempt : report.attempts) {
        if (attempt.client != client) continue;
        if (auto* at = lane(attempt.server, attempt.port)) at->attempts.push_back(&attempt);
    }
    return out;
}

TimeScale scale_of(const std::vector<Lane>& lanes) {
    std::vector<Interval> busy;
    for (const Lane& lane : lanes) {
        // A connection that lives for hours shows by its beginning.
        for (const Attempt* attempt : lane.attempts) {
            const Time to = attempt->established ? std::min(attempt->to, attempt->from + beginning) : attempt->to;
            busy.push_back({attempt->from, to});
        }
        busy.insert(busy.end(), lane.lost.begin(), lane.lost.end());
    }
    return {std::move(busy), left, width - right};
}

void append_grid(std::string& out, const TimeScale& scale, double height) {
    for (const auto& piece : scale.pieces()) {
        for (const auto& mark : scale.marks(piece)) {
            out += "<line class=\"grid\" x1=\"" + pixels(mark.x) + "\" x2=\"" + pixels(mark.x) + "\" y1=\"22\" y2=\"" +
                   pixels(height) + "\"/>";
            out += "<text x=\"" + pixels(mark.x) + "\" y=\"16\">" + mark.label + "</text>";
        }
        if (&piece == &scale.pieces().back()) continue;
        const double gap = (piece.end + (&piece + 1)->begin) / 2;
        out += "<text text-anchor=\"middle\" x=\"" + pixels(gap) + "\" y=\"" + pixels(height / 2 + 14) +
               "\">&#8943;<title>" + seconds_text(seconds(piece.to, (&piece + 1)->from)) +
               " without anything of this</title></text>";
    }
}

void append_box(std::string& out, std::string_view kind, double from, double to, double y, double height,
                std::string_view title) {
    out += "<rect class=\"" + std::string(kind) + "\" x=\"" + pixels(from) + "\" y=\"" + pixels(y) + "\" width=\"" +
           pixels(std::max(to - from, 3.0)) + "\" height=\"" + pixels(height) + "\" rx=\"2\"><title>" + to_html(title) +
           "</title></rect>";
}

void append_lane(std::string& out, const Lane& lane, const TimeScale& scale, double y) {
    const std::string label = lane.server.to_string() + " : " + std::to_string(lane.port);
    out += "<text class=\"name\" x=\"10\" y=\"" + pixels(y + 16) + "\">" + to_html(label) + "</text>";
    std::string words;  // above everything else
    for (const Interval& interval : lane.lost) {
        const double from = scale.x(interval.from), to = scale.x(interval.to);
        const std::string lost = seconds_text(seconds(interval.from, interval.to)) + " lost";
        append_box(out, "wait", from, to, y + 3, lane_height - 6, lost);
        if (to - from < room_for_words) continue;
        words += "<text class=\"waits\" text-anchor=\"middle\" x=\"" + pixels((from + to) / 2) + "\" y=\"" +
                 pixels(y + 17) + "\">" + lost + "</text>";
    }
    for (const Attempt* attempt : lane.attempts) {
        const double at = y + 8, height = lane_height - 16;
        if (attempt->established) {
            append_box(out, "good", scale.x(attempt->from), scale.x(attempt->to), at, height, "connected");
            continue;
        }
        for (const Time one : attempt->tries) append_box(out, "failed", scale.x(one), scale.x(one), at, height, "SYN");
    }
    out += words;
}

void append_time_line(std::string& out, const IpAddress& client, const std::vector<Lane>& lanes, double lost) {
    const double height = top + lane_height * static_cast<double>(lanes.size()) + bottom;
    out += "<h2>" + client.to_string() + " <span class=\"lost\">" +
           (lost < 0.0005 ? "" : seconds_text(lost) + " lost") + "</span></h2><svg viewBox=\"0 0 " + pixels(width) +
           " " + pixels(height) + "\" role=\"img\" aria-label=\"time line of " + client.to_string() + "\">";
    const TimeScale scale = scale_of(lanes);
    append_grid(out, scale, height - bottom);
    double y = top;
    for (const Lane& lane : lanes) {
        append_lane(out, lane, scale, y);
        y += lane_height;
    }
    out += "</svg>";
}

}  // namespace

std::string to_html(std::string_view text) {
    std::string visible;
    telemetry::append_printable(visible, text);  // ASCII, whatever came
    return escape_html(visible);
}

void append_time_lines(std::string& out, const Report& report) {
    std::map<IpAddress, std::vector<Interval>> lost;
    for (const Finding& finding : report.findings) {
        if (finding.severity == Severity::info) continue;
        auto& list = lost[finding.client];
        list.insert(list.end(), finding.lost.begin(), finding.lost.end());
    }
    std::vector<std::pair<double, IpAddress>> clients;
    for (auto& [client, list] : lost) clients.emplace_back(union_of(std::move(list)), client);
    std::ranges::sort(clients, std::greater());
    if (clients.size() > most_clients) clients.resize(most_clients);
    for (const auto& [seconds_lost, client] : clients) {
        const auto lanes = lanes_of(report, client);
        if (!lanes.empty()) append_time_line(out, client, lanes, seconds_lost);
    }
}

}  // namespace sallyport::diagnose
