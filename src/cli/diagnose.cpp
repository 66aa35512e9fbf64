#include "cli/diagnose.hpp"

#include "admin/message.hpp"
#include "diagnose/analysis.hpp"

#include <cmath>
#include <cstdio>

namespace sallyport::cli {

namespace {

using nlohmann::json;

json or_null(const std::string& text) { return text.empty() ? json(nullptr) : json(text); }

// Milliseconds are what captures hold for sure; more digits would only look exact.
double rounded(double seconds) { return std::round(seconds * 1000) / 1000; }

json to_json(const diagnose::Finding& finding, const diagnose::Report& report) {
    json packets = json::array();
    for (const auto packet : finding.packets) packets.push_back(place_of(report, packet).number);
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
    if (report.files.size() > 1 && !finding.packets.empty()) {
        out["file"] = report.files[place_of(report, finding.packets.front()).file].name;
    }
    for (const auto& detail : finding.details) {
        out[std::string(detail.key)] = detail.number ? json::parse(detail.value, nullptr, false) : json(detail.value);
    }
    return out;
}

void complain(const std::string& text) { std::fprintf(stderr, "sallyport: %s\n", text.c_str()); }

}  // namespace

json to_json(const diagnose::Report& report) {
    json files = json::array();
    for (const auto& file : report.files) files.push_back(file.name);
    json findings = json::array();
    for (const auto& finding : report.findings) findings.push_back(to_json(finding, report));
    return {{"files", std::move(files)},
            {"packets", report.packets},
            {"flows", report.flows},
            {"seconds_lost", rounded(report.seconds_lost())},
            {"conclusion", conclusion(report)},
            {"findings", std::move(findings)},
            {"notes", report.notes}};
}

Exit diagnose(const Common& common, const DiagnoseOptions& options) {
    diagnose::Analysis analysis;
    for (const auto& file : options.files) {
        if (const auto read = diagnose::read_file(file, analysis, {}); !read) {
            return complain(read.error().message), Exit::invalid;
        }
    }
    const auto report = analysis.finish();
    const std::string text = common.json ? admin::to_text(to_json(report)) + "\n" : to_text(report);
    std::fwrite(text.data(), 1, text.size(), stdout);
    return report.any_above_info() ? Exit::answer_is_no : Exit::done;
}

}  // namespace sallyport::cli
