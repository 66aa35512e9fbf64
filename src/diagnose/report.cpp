#include "diagnose/report.hpp"

#include "diagnose/wording.hpp"
#include "telemetry/escape.hpp"

#include <algorithm>
#include <map>

namespace sallyport::diagnose {

bool Report::any_above_info() const {
    return std::ranges::any_of(findings, [](const Finding& finding) { return finding.severity != Severity::info; });
}

double Report::seconds_lost() const {
    std::map<IpAddress, std::vector<Interval>> lost;
    for (const Finding& finding : findings) {
        auto& list = lost[finding.client];
        list.insert(list.end(), finding.lost.begin(), finding.lost.end());
    }
    double most = 0;
    for (auto& [client, list] : lost) most = std::max(most, union_of(std::move(list)));
    return most;
}

std::string conclusion(const Report& report) {
    if (report.packets == 0) return "There are no packets in it.";
    const auto worst =
        std::ranges::find_if(report.findings, [](const Finding& f) { return f.severity != Severity::info; });
    if (worst == report.findings.end()) {
        return "Nothing wrong is to be seen in " + count_text(report.packets, "packet", "packets") + ".";
    }
    std::string out = worst->text.substr(0, worst->text.find(". ") + 1);
    if (out.empty()) out = worst->text;
    const double lost = report.seconds_lost();
    if (lost >= 0.1)
        out += " Time lost: " + std::string(worst->lost_at_least ? "at least " : "") + seconds_text(lost) + ".";
    const auto others =
        std::ranges::count_if(report.findings, [](const Finding& f) { return f.severity != Severity::info; }) - 1;
    if (others > 0)
        out += " And " + count_text(static_cast<std::size_t>(others), "more finding", "more findings") + ".";
    return out;
}

std::string file_name(const Report& report, const Finding& finding) {
    if (report.files.size() < 2 || finding.packets.empty()) return {};
    return report.files[file_of(finding.packets.front())];
}

namespace {

// Lines of at most 100 characters, behind a label on the first.
void append_wrapped(std::string& out, std::string_view label, std::string_view text) {
    constexpr std::size_t indent = 12, width = 100;
    if (text.empty()) return;
    std::string safe;
    telemetry::append_printable(safe, text);
    std::string line = "  " + std::string(label);
    line.resize(std::max(line.size() + 1, indent), ' ');
    bool begun = false;
    for (std::size_t at = 0; at < safe.size();) {
        const std::size_t end = std::min(safe.find(' ', at), safe.size());
        const std::string word = safe.substr(at, end - at);
        if (begun && line.size() + 1 + word.size() > width) {
            out += line + "\n";
            line = std::string(indent, ' ');
            begun = false;
        }
        line += (begun ? " " : "") + word;
        begun = true;
        at = end + 1;
    }
    out += line + "\n";
}

// Never broken: they are pasted.
void append_line(std::string& out, std::string_view label, const std::string& text) {
    if (text.empty()) return;
    std::string line = "  " + std::string(label);
    line.resize(std::max<std::size_t>(line.size() + 1, 12), ' ');
    telemetry::append_printable(line, text);
    out += line + "\n";
}

std::string heading(const Finding& finding) {
    std::string out = std::string(name(finding.severity)) + ": " + std::string(finding.id) + ", " +
                      std::string(name(finding.confidence));
    const double lost = finding.seconds_lost();
    if (lost >= 0.0005)
        out += ", " + std::string(finding.lost_at_least ? "at least " : "") + seconds_text(lost) + " lost";
    return out;
}

}  // namespace

std::string to_text(const Report& report) {
    std::string out;
    append_wrapped(out, "", conclusion(report));
    out.erase(0, out.find_first_not_of(' '));
    for (const Finding& finding : report.findings) {
        out += "\n" + heading(finding) + "\n";
        append_line(out, "file", file_name(report, finding));
        append_wrapped(out, "what", finding.text);
        append_wrapped(out, "why", finding.why);
        append_wrapped(out, "unknown", finding.vantage);
        append_wrapped(out, "next", finding.next);
        append_wrapped(out, "mend", finding.fix.advice);
        append_line(out, "nft", finding.fix.nft);
        append_line(out, "iptables", finding.fix.iptables);
    }
    out += "\n";
    std::string counted;
    for (const auto& file : report.files) counted += (counted.empty() ? "" : ", ") + file;
    counted += ": " + count_text(report.packets, "packet", "packets") + ", " +
               count_text(report.flows, "flow", "flows") + ", " +
               seconds_text(seconds(report.first_time, report.last_time)) + ".";
    append_wrapped(out, "read", counted);
    for (const auto& note : report.notes) append_wrapped(out, "note", note + ".");
    return out;
}

}  // namespace sallyport::diagnose
