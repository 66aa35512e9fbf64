#include "diagnose/report.hpp"

#include "diagnose/wording.hpp"
#include "telemetry/escape.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

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

namespace {

std::string first_sentence(const std::string& text) {
    const auto end = text.find(". ");
    return end == std::string::npos ? text : text.substr(0, end + 1);
}

}  // namespace

std::vector<Verdict> verdicts(const Report& report) {
    std::map<IpAddress, std::vector<const Finding*>> by_client;  // the worst first, as the report has them
    for (const Finding& finding : report.findings) {
        if (finding.severity != Severity::info) by_client[finding.client].push_back(&finding);
    }
    std::vector<Verdict> out;
    for (const auto& [client, findings] : by_client) {
        Verdict verdict{
            .client = client, .text = first_sentence(findings.front()->text), .others = findings.size() - 1};
        std::vector<Interval> lost;
        for (const Finding* finding : findings) {
            lost.insert(lost.end(), finding->lost.begin(), finding->lost.end());
            verdict.at_least = verdict.at_least || (finding->lost_at_least && finding->seconds_lost() > 0);
        }
        verdict.seconds_lost = union_of(std::move(lost));
        out.push_back(std::move(verdict));
    }
    std::ranges::sort(out, std::greater(), &Verdict::seconds_lost);
    if (out.size() > max_verdicts) out.resize(max_verdicts);
    return out;
}

std::string conclusion(const Report& report) {
    if (report.packets == 0) return "There are no packets in it.";
    const auto worst =
        std::ranges::find_if(report.findings, [](const Finding& f) { return f.severity != Severity::info; });
    if (worst == report.findings.end()) {
        return "Nothing wrong is to be seen in " + count_text(report.packets, "packet", "packets") + ".";
    }
    std::string out = first_sentence(worst->text);
    const Verdict hardest_hit = verdicts(report).front();
    if (hardest_hit.seconds_lost >= 0.1) {
        out += " Time lost: " + std::string(hardest_hit.at_least ? "at least " : "") +
               seconds_text(hardest_hit.seconds_lost) + ".";
    }
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

constexpr std::size_t label_width = 12, line_width = 100;  // characters

// Lines of at most line_width; the further ones begin below the text of the first.
void append_wrapped(std::string& out, std::string line, std::string_view text) {
    const std::size_t indent = line.size();
    std::string safe;
    telemetry::append_printable(safe, text);
    bool begun = false;
    for (std::size_t at = 0; at < safe.size();) {
        const std::size_t end = std::min(safe.find(' ', at), safe.size());
        const std::string word = safe.substr(at, end - at);
        if (begun && line.size() + 1 + word.size() > line_width) {
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

std::string label_of(std::string_view name) {
    std::string line = "  " + std::string(name);
    line.resize(std::max(line.size() + 1, label_width), ' ');
    return line;
}

void append_labeled(std::string& out, std::string_view name, std::string_view text) {
    if (!text.empty()) append_wrapped(out, label_of(name), text);
}

// Never broken: they are pasted.
void append_line(std::string& out, std::string_view name, const std::string& text) {
    if (text.empty()) return;
    out += label_of(name);
    telemetry::append_printable(out, text);
    out += "\n";
}

std::string heading(const Finding& finding) {
    std::string out = std::string(name(finding.severity)) + ": " + std::string(finding.id) + ", " +
                      std::string(name(finding.confidence));
    const double lost = finding.seconds_lost();
    if (lost >= 0.0005)
        out += ", " + std::string(finding.lost_at_least ? "at least " : "") + seconds_text(lost) + " lost";
    return out;
}

// Where several clients have something, what each of them has.
void append_verdicts(std::string& out, const Report& report) {
    const auto all = verdicts(report);
    if (all.size() < 2) return;
    for (const Verdict& verdict : all) {
        std::string line = verdict.client.to_string() + ": ";
        if (verdict.seconds_lost >= 0.1)
            line += std::string(verdict.at_least ? "at least " : "") + seconds_text(verdict.seconds_lost) + " lost. ";
        line += verdict.text;
        if (verdict.others > 0) line += " And " + count_text(verdict.others, "more finding", "more findings") + ".";
        append_labeled(out, "client", line);
    }
}

}  // namespace

std::string to_text(const Report& report) {
    std::string out;
    append_wrapped(out, "", conclusion(report));
    for (const Finding& finding : report.findings) {
        out += "\n" + heading(finding) + "\n";
        append_line(out, "file", file_name(report, finding));
        append_labeled(out, "what", finding.text);
        append_labeled(out, "why", finding.why);
        append_labeled(out, "unknown", finding.vantage);
        append_labeled(out, "next", finding.next);
        append_labeled(out, "mend", finding.fix.advice);
        append_line(out, "nft", finding.fix.nft);
        append_line(out, "iptables", finding.fix.iptables);
    }
    out += "\n";
    append_verdicts(out, report);
    std::string counted;
    for (const auto& file : report.files) counted += (counted.empty() ? "" : ", ") + file;
    counted += ": " + count_text(report.packets, "packet", "packets") + ", " +
               count_text(report.flows, "flow", "flows") + ", " +
               seconds_text(seconds(report.first_time, report.last_time)) + ".";
    append_labeled(out, "read", counted);
    for (const auto& note : report.notes) append_labeled(out, "note", note + ".");
    return out;
}

}  // namespace sallyport::diagnose
