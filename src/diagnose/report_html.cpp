#include "diagnose/report_html.hpp"

#include "diagnose/time_line.hpp"
#include "diagnose/wording.hpp"

#include <algorithm>
#include <array>

namespace sallyport::diagnose {

namespace {

constexpr std::string_view style = R"(
:root{color-scheme:light dark;--paper:#fbfaf7;--ink:#1d2126;--soft:#5d6670;--line:#d9d6cd;--card:#fff;--error:#b3261e;
--warning:#9a6700;--info:#2f6f4f;--lost:#e4572e;--good:#3c8d5a;--failed:#8a8f98;--code:#f1efe8}
@media(prefers-color-scheme:dark){:root{--paper:#15181c;--ink:#e6e4df;--soft:#9aa3ad;--line:#333a42;--card:#1c2026;
--error:#ff8a80;--warning:#f2c14e;--info:#7fd1a3;--lost:#ff7a4d;--good:#63c08a;--failed:#7c848e;--code:#252a31}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:64rem;margin:0 auto;padding:2rem 1.25rem 4rem}
h1{font-size:1.5rem;line-height:1.3;margin:.2rem 0 .4rem}
h2{font-size:1.1rem;margin:2.2rem 0 .6rem}
.soft{color:var(--soft)}
.card{background:var(--card);border:1px solid var(--line);border-left:5px solid var(--soft);border-radius:6px;padding:.9rem 1.1rem;margin:.9rem 0}
.card.error{border-left-color:var(--error)}.card.warning{border-left-color:var(--warning)}.card.info{border-left-color:var(--info)}
.card h3{font-size:1rem;margin:0 0 .3rem;display:flex;gap:.6rem;flex-wrap:wrap;align-items:baseline}
.badge{font-weight:600}.error .badge{color:var(--error)}.warning .badge{color:var(--warning)}.info .badge{color:var(--info)}
.lost{color:var(--lost);font-weight:600;margin-left:auto}
dl{display:grid;grid-template-columns:7.5rem 1fr;gap:.25rem .8rem;margin:.6rem 0 0}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
pre{background:var(--code);padding:.5rem .7rem;border-radius:4px;margin:.2rem 0;overflow-x:auto;font:13px/1.45 ui-monospace,monospace}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{text-align:left;padding:.3rem .7rem .3rem 0;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--soft);font-weight:500}td.n{text-align:right;font-variant-numeric:tabular-nums}
svg{display:block;width:100%;height:auto;background:var(--card);border:1px solid var(--line);border-radius:6px}
svg text{font:12px system-ui,sans-serif;fill:var(--soft)}svg .name{fill:var(--ink)}svg .waits{fill:var(--lost);font-weight:600;paint-order:stroke;stroke:var(--card);stroke-width:4px}
svg .grid{stroke:var(--line)}svg .good{fill:var(--good)}svg .failed{fill:var(--failed)}
svg .wait{fill:var(--lost);fill-opacity:.22;stroke:var(--lost);stroke-dasharray:4 3}
@media(max-width:40rem){dl{grid-template-columns:1fr}dt{margin-top:.3rem}}
)";

void row(std::string& out, std::string_view name, std::string_view text) {
    if (text.empty()) return;
    out += "<dt>" + std::string(name) + "</dt><dd>" + to_html(text) + "</dd>";
}

void code_row(std::string& out, std::string_view name, std::string_view text) {
    if (text.empty()) return;
    out += "<dt>" + std::string(name) + "</dt><dd><pre>" + to_html(text) + "</pre></dd>";
}

std::string lost_text(const Finding& finding) {
    const double lost = finding.seconds_lost();
    if (lost < 0.0005) return {};
    return std::string(finding.lost_at_least ? "at least " : "") + seconds_text(lost) + " lost";
}

void append_finding(std::string& out, const Finding& finding, std::string_view file) {
    out += "<section class=\"card " + std::string(name(finding.severity)) + "\"><h3><span class=\"badge\">" +
           std::string(name(finding.severity)) + "</span> " + to_html(finding.id) + " <span class=\"soft\">" +
           std::string(name(finding.confidence)) + "</span>";
    if (const auto lost = lost_text(finding); !lost.empty()) out += "<span class=\"lost\">" + lost + "</span>";
    out += "</h3><div>" + to_html(finding.text) + "</div><dl>";
    row(out, "mend", finding.fix.advice);
    code_row(out, "nft", finding.fix.nft);
    code_row(out, "iptables", finding.fix.iptables);
    row(out, "next", finding.next);
    row(out, "why", finding.why);
    row(out, "unknown", finding.vantage);
    row(out, "file", file);
    std::string details;
    for (const Detail& detail : finding.details) {
        std::string key(detail.key);
        std::ranges::replace(key, '_', ' ');
        details += (details.empty() ? "" : "; ") + key + " " + detail.value;
    }
    row(out, "values", details);
    out += "</dl></section>";
}

void append_table(std::string& out, const Report& report) {
    if (report.findings.empty()) return;
    out +=
        "<h2>At a glance</h2><div "
        "class=\"scroll\"><table><tr><th>finding</th><th>client</th><th>server</th><th>port</th>"
        "<th>confidence</th><th>lost</th><th>packets</th></tr>";
    for (const Finding& finding : report.findings) {
        std::string packets;
        for (std::size_t i = 0; i < std::min<std::size_t>(finding.packets.size(), 8); ++i) {
            packets += (i == 0 ? "" : ", ") + std::to_string(in_file(finding.packets[i]));
        }
        if (finding.packets.size() > 8) packets += ", …";
        const double lost = finding.seconds_lost();
        out += "<tr><td>" + to_html(finding.id) + "</td><td>" + finding.client.to_string() + "</td><td>" +
               finding.server.to_string() + "</td><td class=\"n\">" + std::to_string(finding.port) + "</td><td>" +
               std::string(name(finding.confidence)) + "</td><td class=\"n\">" +
               (lost < 0.0005 ? "" : seconds_text(lost)) + "</td><td>" + packets + "</td></tr>";
    }
    out += "</table></div>";
}

}  // namespace

std::string to_html(const Report& report) {
    std::string out =
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        "<title>sallyport diagnose</title><style>";
    out += style;
    out += "</style></head><body><main><div class=\"soft\">sallyport diagnose</div><h1>" + to_html(conclusion(report)) +
           "</h1>";
    std::string files;
    for (const auto& file : report.files) files += (files.empty() ? "" : ", ") + file;
    out += "<div class=\"soft\">" + to_html(files) + " · " + count_text(report.packets, "packet", "packets") + " · " +
           count_text(report.flows, "flow", "flows") + " · " +
           seconds_text(seconds(report.first_time, report.last_time)) + "</div>";
    append_time_lines(out, report);
    append_table(out, report);
    if (!report.findings.empty()) out += "<h2>Findings</h2>";
    for (const Finding& finding : report.findings) append_finding(out, finding, file_name(report, finding));
    if (!report.notes.empty()) out += "<h2>About the capture</h2><ul>";
    for (const auto& note : report.notes) out += "<li>" + to_html(note) + "</li>";
    if (!report.notes.empty()) out += "</ul>";
    return out + "</main></body></html>\n";
}

}  // namespace sallyport::diagnose
