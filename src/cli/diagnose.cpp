#include "cli/diagnose.hpp"

#include "admin/message.hpp"
#include "config/units.hpp"
#include "diagnose/analysis.hpp"
#include "diagnose/live.hpp"
#include "diagnose/report_html.hpp"
#include "firewall/session.hpp"
#include "io/fd.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <optional>
#include <utility>

namespace sallyport::cli {

namespace {

using nlohmann::json;

json or_null(const std::string& text) { return text.empty() ? json(nullptr) : json(text); }

// Milliseconds are what captures hold for sure; more digits would only look exact.
double rounded(double seconds) { return std::round(seconds * 1000) / 1000; }

json to_json(const diagnose::Finding& finding, const diagnose::Report& report) {
    json packets = json::array();
    for (const auto packet : finding.packets) packets.push_back(diagnose::in_file(packet));
    json out{{"id", finding.id},
             {"severity", name(finding.severity)},
             {"confidence", name(finding.confidence)},
             {"client", finding.client.to_string()},
             {"server", finding.server.to_string()},
             {"port", finding.port},
             {"protocol", finding.protocol},
             {"packets", std::move(packets)},
             {"seconds_lost", rounded(finding.seconds_lost())},
             {"at_least", finding.lost_at_least},
             {"schedule", or_null(finding.schedule)},
             {"fallback", nullptr},
             {"text", finding.text},
             {"why", finding.why},
             {"vantage", finding.vantage},
             {"next", finding.next},
             {"fix", nullptr}};
    if (finding.fallback) {
        out["fallback"] = {{"server", finding.fallback->server.to_string()},
                           {"port", finding.fallback->port},
                           {"after", rounded(finding.fallback->after)}};
    }
    if (!finding.fix.empty()) {
        out["fix"] = {{"nft", or_null(finding.fix.nft)},
                      {"iptables", or_null(finding.fix.iptables)},
                      {"advice", or_null(finding.fix.advice)}};
    }
    if (auto file = file_name(report, finding); !file.empty()) out["file"] = std::move(file);
    for (const auto& detail : finding.details) {
        out[std::string(detail.key)] = detail.number ? json::parse(detail.value, nullptr, false) : json(detail.value);
    }
    return out;
}

void complain(const std::string& text) { std::fprintf(stderr, "sallyport: %s\n", text.c_str()); }

// One line on the terminal, overwritten as the work goes on; nothing where nobody looks.
class ProgressLine {
public:
    ProgressLine() : shown_(isatty(STDERR_FILENO) == 1) {}
    ~ProgressLine() { clear(); }
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;

    void show(const std::string& text) {
        const auto now = std::chrono::steady_clock::now();
        if (!shown_ || now - last_ < std::chrono::milliseconds(100)) return;
        last_ = now;
        std::fprintf(stderr, "\r\x1b[K%s", text.c_str());
        dirty_ = true;
    }
    void clear() {
        if (std::exchange(dirty_, false)) std::fputs("\r\x1b[K", stderr);
    }

private:
    bool shown_;
    bool dirty_ = false;
    std::chrono::steady_clock::time_point last_{};
};

Exit read_files(const DiagnoseOptions& options, diagnose::Analysis& analysis) {
    ProgressLine line;
    for (const auto& file : options.files) {
        const auto read = diagnose::read_file(file, analysis, [&](std::uint64_t taken, std::uint64_t size) {
            const std::string part = size == 0 ? "" : " " + std::to_string(100 * taken / size) + " %";
            line.show(file + part + ", " + std::to_string(analysis.packets()) + " packets");
        });
        if (read) continue;
        line.clear();
        return complain(read.error().message), Exit::invalid;
    }
    return Exit::done;
}

Exit listen(const DiagnoseOptions& options, const std::optional<IpAddress>& client, diagnose::Analysis& analysis) {
    const auto duration = config::parse_duration(options.duration);
    if (!duration) return complain("--for takes a duration such as 60s, not '" + options.duration + "'"), Exit::usage;
    const auto limit = config::parse_size(options.write_limit);
    if (!limit)
        return complain("--write-limit takes a size such as 256MiB, not '" + options.write_limit + "'"), Exit::usage;
    const auto session = firewall::own_session();
    const diagnose::LiveOptions live{.interface = options.live,
                                     .client = client,
                                     .duration = *duration,
                                     .packets = options.packets,
                                     .ssh_connection = session ? session->text : "",
                                     .ring_file = options.write,
                                     .ring_size = *limit};
    ProgressLine line;
    const auto captured = diagnose::capture_live(live, analysis, [&](double seconds, std::uint64_t packets) {
        line.show("capturing from " + options.live + ": " + std::to_string(static_cast<int>(seconds)) + " of " +
                  options.duration + ", " + std::to_string(packets) + " packets; Ctrl-C ends it and reports");
    });
    if (captured) return Exit::done;
    line.clear();
    complain(captured.error().message);
    return captured.error().not_permitted ? Exit::not_permitted : Exit::failed;
}

bool write_report(const std::string& file, const diagnose::Report& report) {
    std::ofstream out(file, std::ios::binary | std::ios::trunc);
    out << diagnose::to_html(report);
    out.close();
    if (!out) complain("can't write the report to " + file);
    return !out.fail();
}

// For its owner alone: whoever has it reads what the capture holds.
bool write_secrets(const std::string& file, const diagnose::Report& report) {
    const io::Fd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    const std::string& text = report.tls_secrets;
    const bool written = fd && ::fchmod(fd.get(), 0600) == 0 &&
                         ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
    if (!written) complain("can't write the TLS secrets to " + file);
    return written;
}

}  // namespace

json to_json(const diagnose::Report& report) {
    json files = json::array();
    for (const auto& file : report.files) files.push_back(file);
    json findings = json::array();
    for (const auto& finding : report.findings) findings.push_back(to_json(finding, report));
    json clients = json::array();
    for (const auto& verdict : verdicts(report)) {
        clients.push_back({{"client", verdict.client.to_string()},
                           {"seconds_lost", rounded(verdict.seconds_lost)},
                           {"at_least", verdict.at_least},
                           {"verdict", verdict.text}});
    }
    return {{"files", std::move(files)},
            {"packets", report.packets},
            {"flows", report.flows},
            {"seconds_lost", rounded(report.seconds_lost())},
            {"conclusion", conclusion(report)},
            {"clients", std::move(clients)},
            {"findings", std::move(findings)},
            {"notes", report.notes}};
}

Exit diagnose(const Common& common, const DiagnoseOptions& options) {
    if (options.files.empty() == options.live.empty()) {
        return complain("which capture? diagnose FILE..., or diagnose --live INTERFACE"), Exit::usage;
    }
    const auto client = IpAddress::parse(options.client);
    if (!client && !options.client.empty()) {
        return complain("--client takes an IP address, not '" + options.client + "'"), Exit::usage;
    }
    diagnose::Analysis analysis;
    if (client) analysis.only(*client);
    analysis.expect_issuer(options.issuer);
    const Exit read = options.live.empty() ? read_files(options, analysis) : listen(options, client, analysis);
    if (read != Exit::done) return read;
    const auto report = analysis.finish();
    const std::string text = common.json ? admin::to_text(to_json(report)) + "\n" : to_text(report);
    std::fwrite(text.data(), 1, text.size(), stdout);
    if (!options.report.empty() && !write_report(options.report, report)) return Exit::failed;
    if (!options.tls_secrets.empty() && !write_secrets(options.tls_secrets, report)) return Exit::failed;
    return report.any_above_info() ? Exit::answer_is_no : Exit::done;
}

}  // namespace sallyport::cli
